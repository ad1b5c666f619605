"""What tags pointed at, and putting it back."""

from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from services.catalog.api.fields import ID, list_response, load_digest, load_tag, refuses
from services.catalog.domain.history import End, Kind
from services.catalog.storage.tag_history import PERIODS, WRITES
from services.catalog.usecases.browse_history import list_history, list_periods
from services.catalog.usecases.restore_tag import TagRestorer
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import key_query, ordered_query
from shared.api.paging import ListRequest
from shared.database import Database
from shared.oci.names import MAX_TAG_LENGTH
from shared.visibility.callers import FindCallersPermissions, FindCallersVisibility, keep_private

_SEEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
_CHANGED = (*_SEEN, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)


class WriteSchema(Schema):
    """Something that was done to a tag."""

    id = fields.Integer(required=True)
    tag = fields.String(required=True)
    written_at = fields.AwareDateTime(required=True)
    kind = fields.Enum(
        Kind,
        by_value=True,
        required=True,
        metadata={"description": "seen, vanished: as a crawl found it. The others: as the registry told us."},
    )
    digest = fields.String(
        required=True, allow_none=True, metadata={"description": "Where it points since; null: deleted by name."}
    )
    actor = fields.String(required=True, allow_none=True)


class PeriodSchema(Schema):
    """A time in which a tag pointed at one digest."""

    digest = fields.String(required=True)
    since = fields.AwareDateTime(required=True)
    pushed_by = fields.String(required=True, allow_none=True)
    is_witnessed = fields.Boolean(
        required=True, metadata={"description": "Whether its push was told; else it may have begun earlier."}
    )
    until = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Null: it points there still."}
    )
    end = fields.Enum(End, by_value=True, required=True, allow_none=True, metadata={"description": "How it ended."})
    ended_by = fields.String(required=True, allow_none=True)


class RestoreInput(Schema):
    """What is to be put where."""

    tag = fields.String(required=True, metadata={"description": "New or old.", "maxLength": MAX_TAG_LENGTH})
    digest = fields.String(
        required=True, metadata={"description": "Of a manifest that lies in the repository, or that a tag pointed at."}
    )


class RestoredSchema(Schema):
    """What was put."""

    repository_id = fields.Integer(required=True)
    tag = fields.String(required=True)
    digest = fields.String(required=True)
    manifests = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "What had to be put: what an index holds and was gone, and then itself."},
    )


def history_blueprint(
    database: Database,
    restorer: TagRestorer,
    visibility: FindCallersVisibility,
    permissions: FindCallersPermissions,
) -> ApiBlueprint:
    """Build the routes."""
    blueprint = ApiBlueprint("history", __name__, url_prefix="/api/v1", description="What tags pointed at")
    keep_private(blueprint)

    @blueprint.get(f"/repositories/{ID}/history")
    @blueprint.arguments(key_query(WRITES), location="query")
    @blueprint.response(200, WriteSchema(many=True))
    @refuses(blueprint, *_SEEN)
    def history(asked: ListRequest, id: int) -> Response:
        """List what was done to a repository's tags, newest first, also to those that are gone"""
        return list_response(WriteSchema(), list_history(visibility(), id, asked, database=database))

    @blueprint.get(f"/repositories/{ID}/history/<tag>")
    @blueprint.arguments(ordered_query(PERIODS), location="query")
    @blueprint.response(200, PeriodSchema(many=True))
    @refuses(blueprint, *_SEEN)
    def periods(asked: ListRequest, id: int, tag: str) -> Response:
        """List what a tag pointed at, from when to when, newest first; by number out of its last 1 000 writes"""
        return list_response(PeriodSchema(), list_periods(visibility(), id, load_tag(tag), asked, database=database))

    @blueprint.post(f"/repositories/{ID}/restore")
    @blueprint.arguments(RestoreInput)
    @blueprint.response(200, RestoredSchema)
    @refuses(blueprint, *_CHANGED)
    def restore(values: dict[str, Any], id: int) -> dict[str, Any]:
        """Put an earlier manifest under a tag; 422: the registry no longer has all of it, or the tag must not move"""
        tag, digest = load_tag(values["tag"]), load_digest(values["digest"])
        put = restorer.restore(visibility(), permissions, id, tag, digest)
        return {"repository_id": id, "tag": tag, "digest": digest, "manifests": put}

    return blueprint
