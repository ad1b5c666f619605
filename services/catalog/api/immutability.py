"""``/api/v1/immutable-tags`` and ``/api/v1/overwrites``: tags that must not move, and those that did."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import Schema, fields, post_load

from services.catalog.api.fields import ID, globs, list_response, rule_namespace
from services.catalog.domain.immutability import OverwriteState
from services.catalog.storage.immutability import OVERWRITES, RULES, ImmutableRow, OverwriteRow
from services.catalog.usecases.immutability import ImmutabilityDesk, Terms
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import either_query, key_query
from shared.api.paging import ListRequest
from shared.visibility.callers import keep_private

_READ = (HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE)
_ONE = (*_READ, HTTPStatus.NOT_FOUND)
_WRITTEN = (*_ONE, HTTPStatus.FORBIDDEN)


class ImmutableInput(Schema):
    """Tags that must not move."""

    namespace = rule_namespace()
    repositories = globs("Repositories by their full names", load_default=lambda: ["*"])
    tags = globs("Tags", required=True)
    restores = fields.Boolean(
        load_default=False, metadata={"description": "Whether the former manifest is put back under the tag."}
    )

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Terms:
        """Put the rule together."""
        return Terms(**values)


class ImmutableChangeInput(Schema):
    """What is to be different in a rule."""

    repositories = globs("Repositories by their full names")
    tags = globs("Tags")
    restores = fields.Boolean()


class ImmutableSchema(Schema):
    """A rule: these tags must not move."""

    id = fields.Integer(required=True)
    namespace = fields.String(required=True, allow_none=True)
    repositories = fields.List(fields.String(), required=True)
    tags = fields.List(fields.String(), required=True)
    restores = fields.Boolean(required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class OverwriteSchema(Schema):
    """A tag that moved and must not have."""

    id = fields.Integer(required=True)
    rule_id = fields.Integer(required=True, metadata={"description": "Of the rule, which may be gone since."})
    repository = fields.String(required=True)
    tag = fields.String(required=True)
    previous_digest = fields.String(required=True)
    digest = fields.String(required=True)
    actor = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)
    state = fields.Enum(OverwriteState, by_value=True, required=True)
    fault = fields.String(required=True, allow_none=True, metadata={"description": "Why it was not put back."})
    attempts = fields.Integer(required=True, metadata={"description": "How often that was tried."})
    next_attempt_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        attribute="due_at",
        metadata={"description": "When it is tried next; null: it is not."},
    )


def immutability_blueprint(desk: Callable[[], ImmutabilityDesk]) -> ApiBlueprint:
    """Build the routes.

    Args:
        desk: that of the present caller.
    """
    blueprint = ApiBlueprint("immutability", __name__, url_prefix="/api/v1", description="Tags that must not move")
    keep_private(blueprint)

    @blueprint.get("/immutable-tags")
    @blueprint.arguments(either_query(RULES), location="query")
    @blueprint.response(HTTPStatus.OK, ImmutableSchema(many=True))
    @blueprint.refuses(*_READ)
    def rules(asked: ListRequest) -> Response:
        """List the rules of the namespaces that the caller sees; for administrators and auditors all"""
        return list_response(ImmutableSchema(), desk().list_rules(asked))

    @blueprint.post("/immutable-tags")
    @blueprint.creates(".show", id="id")
    @blueprint.arguments(ImmutableInput)
    @blueprint.response(HTTPStatus.CREATED, ImmutableSchema)
    @blueprint.refuses(*_WRITTEN)
    def add(wanted: Terms) -> ImmutableRow:
        """Make a rule; owners of the namespace, for the installation administrators"""
        return desk().add_rule(wanted)

    @blueprint.get(f"/immutable-tags/{ID}")
    @blueprint.versioned
    @blueprint.response(HTTPStatus.OK, ImmutableSchema)
    @blueprint.refuses(*_ONE)
    def show(id: int) -> ImmutableRow:
        """Show a rule"""
        return desk().get_rule(id)

    @blueprint.put(f"/immutable-tags/{ID}")
    @blueprint.versioned
    @blueprint.arguments(ImmutableChangeInput)
    @blueprint.response(HTTPStatus.OK, ImmutableSchema)
    @blueprint.refuses(*_WRITTEN)
    def change(values: dict[str, Any], id: int) -> ImmutableRow:
        """Change a rule; it stays where it is"""
        return desk().change_rule(id, lambda known: _changed(known, values), expected=if_match(ImmutableSchema()))

    @blueprint.delete(f"/immutable-tags/{ID}")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_WRITTEN)
    def drop(id: int) -> None:
        """Take a rule away; what it noticed is kept"""
        desk().delete_rule(id)

    @blueprint.get("/overwrites")
    @blueprint.arguments(key_query(OVERWRITES), location="query")
    @blueprint.response(HTTPStatus.OK, OverwriteSchema(many=True))
    @blueprint.refuses(*_READ)
    def overwrites(asked: ListRequest) -> Response:
        """List tags that moved and must not have, in what the caller sees, the newest first"""
        return list_response(OverwriteSchema(), desk().list_overwrites(asked))

    @blueprint.post(f"/overwrites/{ID}/retry")
    @blueprint.response(HTTPStatus.ACCEPTED, OverwriteSchema)
    @blueprint.refuses(*_WRITTEN, HTTPStatus.CONFLICT)
    def retry(id: int) -> OverwriteRow:
        """Try now to put back what was overwritten, and failed or waits; owners of the namespace"""
        return desk().retry_overwrite(id)

    return blueprint


def _changed(known: ImmutableRow, values: dict[str, Any]) -> Terms:
    now = {"repositories": known.repositories, "tags": known.tags, "restores": known.restores}
    return Terms(known.namespace, **{**now, **values})
