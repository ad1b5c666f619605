"""``/api/v1/retention``: which tags go by themselves, what a rule would do, and what its runs did."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, url_for
from marshmallow import Schema, fields, post_load, validate

from services.catalog.api.fields import ID, globs, list_response, rule_namespace
from services.catalog.domain.retention import Newest
from services.catalog.storage.retention import OUTCOMES, RULES, RUNS, RunRow, StoredRule
from services.catalog.usecases.preview_retention import Preview
from services.catalog.usecases.retention import NewRule, RetentionDesk
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import PRINTABLE, either_query, key_query
from shared.api.paging import ListRequest
from shared.visibility.callers import keep_private

MAX_LABELS = 20
MAX_DAYS = 36_500
MAX_KEPT = 100_000

_READ = (HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE)
_ONE = (*_READ, HTTPStatus.NOT_FOUND)
_WRITTEN = (*_ONE, HTTPStatus.FORBIDDEN)


def _said(description: str) -> dict[str, Any]:
    return {"description": description}


def _labels(description: str) -> Any:
    return fields.Dict(
        keys=fields.String(validate=[validate.Length(1, 255), PRINTABLE]),
        values=fields.String(allow_none=True, validate=[validate.Length(max=255), PRINTABLE]),
        validate=validate.Length(max=MAX_LABELS),
        metadata=_said(description),
    )


class TermsSchema(Schema):
    """What a rule says. A tag goes when it is looked at and nothing that is said here keeps it."""

    keep_newest = fields.Integer(
        validate=validate.Range(0, MAX_KEPT),
        metadata=_said("So many of the tags that are looked at stay in each repository."),
    )
    # A string and not the member: it is shown as it was kept, and kept as it was said.
    newest = fields.String(
        validate=validate.OneOf([one.value for one in Newest]),
        metadata=_said("By time, or by version as semver.org orders them; by time unless it is said."),
    )
    older_than_days = fields.Integer(
        validate=validate.Range(0, MAX_DAYS), metadata=_said("What was pushed within so many days stays.")
    )
    unpulled_days = fields.Integer(
        validate=validate.Range(0, MAX_DAYS), metadata=_said("What was pulled within so many days stays.")
    )
    repositories = globs("Full names that are looked at, all unless it is said")
    tags = globs("Tags that are looked at, all unless it is said")
    except_tags = globs("Tags that stay whatever else is said")
    labels = _labels(
        "Only images with one of these labels or annotations are looked at, an index when each of its images has one; "
        "null: whatever its value."
    )
    except_labels = _labels("Images with one of these stay, an index when any of its images has one.")
    tag_pattern = fields.String(dump_only=True, metadata=_said("A regular expression; only the environment gives one."))


class RuleInput(Schema):
    """A rule to be made."""

    name = fields.String(required=True, validate=[validate.Length(1, 64), PRINTABLE])
    namespace = rule_namespace()
    enabled = fields.Boolean(load_default=True)
    every_hours = fields.Integer(load_default=24, validate=validate.Range(1, 8760))
    terms = fields.Nested(TermsSchema, required=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> NewRule:
        """Put the rule together."""
        return NewRule(**values)


class RuleChangeInput(Schema):
    """What is to be different in a rule; terms are replaced as a whole."""

    name = fields.String(validate=[validate.Length(1, 64), PRINTABLE])
    enabled = fields.Boolean()
    every_hours = fields.Integer(validate=validate.Range(1, 8760))
    terms = fields.Nested(TermsSchema)


class RuleSchema(Schema):
    """A retention rule."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    namespace = fields.String(
        required=True, allow_none=True, metadata=_said("Null: the whole installation. Empty: the global namespace.")
    )
    enabled = fields.Boolean(required=True)
    every_hours = fields.Integer(required=True)
    terms = fields.Nested(TermsSchema, required=True)
    created_by = fields.String(required=True, metadata=_said("Empty: the environment."))
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
    next_run_at = fields.AwareDateTime(required=True, allow_none=True)


class PreviewInput(Schema):
    """A rule that need not be there."""

    namespace = rule_namespace()
    terms = fields.Nested(TermsSchema, required=True)


class VerdictSchema(Schema):
    """What would become of a tag."""

    repository = fields.String(required=True)
    tag = fields.String(required=True, attribute="verdict.tag")
    digest = fields.String(required=True, attribute="verdict.digest")
    goes = fields.Boolean(required=True, attribute="verdict.goes")
    reason = fields.String(required=True, attribute="verdict.reason")


class PreviewSchema(Schema):
    """What a rule would do now."""

    repositories = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    deleted = fields.Integer(required=True)
    verdicts = fields.List(
        fields.Nested(VerdictSchema), required=True, metadata=_said("What would go comes first; 1 000 at the most.")
    )
    is_whole = fields.Boolean(
        required=True, metadata=_said("Whether all is shown; 1 000 repositories are looked at, at the most.")
    )


class RunSchema(Schema):
    """A run of a rule."""

    id = fields.Integer(required=True)
    rule_id = fields.Integer(required=True)
    started_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata=_said("Null: it goes on, or waits to be taken up again.")
    )
    requested_by = fields.String(required=True, allow_none=True, metadata=_said("Null: it was due."))
    repositories = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    deleted = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    fault = fields.String(required=True, allow_none=True, metadata=_said("Why it was broken off."))


class OutcomeSchema(Schema):
    """A tag that went, or should have."""

    id = fields.Integer(required=True)
    repository = fields.String(required=True)
    tag = fields.String(required=True)
    digest = fields.String(required=True)
    reason = fields.String(required=True)
    fault = fields.String(required=True, allow_none=True, metadata=_said("Why it is there still; null: it is gone."))


def retention_blueprint(desk: Callable[[], RetentionDesk]) -> ApiBlueprint:
    """Build the routes.

    Args:
        desk: that of the present caller.
    """
    blueprint = ApiBlueprint("retention", __name__, url_prefix="/api/v1/retention", description="What goes by itself")
    keep_private(blueprint)
    _add_rules(blueprint, desk)
    _add_runs(blueprint, desk)
    return blueprint


def _add_rules(blueprint: ApiBlueprint, desk: Callable[[], RetentionDesk]) -> None:
    @blueprint.get("/rules")
    @blueprint.arguments(either_query(RULES), location="query")
    @blueprint.response(HTTPStatus.OK, RuleSchema(many=True))
    @blueprint.refuses(*_READ)
    def rules(asked: ListRequest) -> Response:
        """List the rules of the namespaces that the caller sees; for administrators and auditors all"""
        return list_response(RuleSchema(), desk().list_rules(asked))

    @blueprint.post("/rules")
    @blueprint.creates(".show", id="id")
    @blueprint.arguments(RuleInput)
    @blueprint.response(HTTPStatus.CREATED, RuleSchema)
    @blueprint.refuses(*_WRITTEN)
    def add(wanted: NewRule) -> StoredRule:
        """Make a rule; whoever may delete all of the namespace, for the installation administrators"""
        return desk().add_rule(wanted)

    @blueprint.get(f"/rules/{ID}")
    @blueprint.versioned
    @blueprint.response(HTTPStatus.OK, RuleSchema)
    @blueprint.refuses(*_ONE)
    def show(id: int) -> StoredRule:
        """Show a rule"""
        return desk().get_rule(id)

    @blueprint.put(f"/rules/{ID}")
    @blueprint.versioned
    @blueprint.arguments(RuleChangeInput)
    @blueprint.response(HTTPStatus.OK, RuleSchema)
    @blueprint.refuses(*_WRITTEN)
    def change(values: dict[str, Any], id: int) -> StoredRule:
        """Change a rule; it stays where it is"""
        return desk().change_rule(id, lambda known: _changed(known, values), expected=if_match(RuleSchema()))

    @blueprint.delete(f"/rules/{ID}")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_WRITTEN, HTTPStatus.UNPROCESSABLE_ENTITY)
    def drop(id: int) -> None:
        """Take a rule away, with the reports of its runs"""
        desk().delete_rule(id)

    @blueprint.post("/preview")
    @blueprint.arguments(PreviewInput)
    @blueprint.response(HTTPStatus.OK, PreviewSchema)
    @blueprint.refuses(*_WRITTEN)
    def preview(wanted: dict[str, Any]) -> Preview:
        """Tell what a rule would do now, with the reason for each tag; nothing is deleted"""
        return desk().preview(wanted["namespace"], wanted["terms"])


def _add_runs(blueprint: ApiBlueprint, desk: Callable[[], RetentionDesk]) -> None:
    @blueprint.post(f"/rules/{ID}/runs")
    @blueprint.response(HTTPStatus.ACCEPTED, RunSchema)
    @blueprint.refuses(*_WRITTEN)
    def start(id: int) -> Response:
        """Ask for a run now, which a worker begins within seconds, or show the one under way"""
        run = desk().request_run(id)
        response: Response = jsonify(RunSchema().dump(run))
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Location"] = url_for(".run", id=run.id)
        return response

    @blueprint.get("/runs")
    @blueprint.arguments(either_query(RUNS), location="query")
    @blueprint.response(HTTPStatus.OK, RunSchema(many=True))
    @blueprint.refuses(*_READ)
    def runs(asked: ListRequest) -> Response:
        """List runs, the newest first"""
        return list_response(RunSchema(), desk().list_runs(asked))

    @blueprint.get(f"/runs/{ID}")
    @blueprint.response(HTTPStatus.OK, RunSchema)
    @blueprint.refuses(*_ONE)
    def run(id: int) -> RunRow:
        """Show a run and how far it has come"""
        return desk().get_run(id)

    @blueprint.get(f"/runs/{ID}/outcomes")
    @blueprint.arguments(key_query(OUTCOMES), location="query")
    @blueprint.response(HTTPStatus.OK, OutcomeSchema(many=True))
    @blueprint.refuses(*_ONE)
    def outcomes(asked: ListRequest, id: int) -> Response:
        """List the tags that went in a run, and those that should have"""
        return list_response(OutcomeSchema(), desk().list_outcomes(id, asked))


def _changed(known: StoredRule, values: dict[str, Any]) -> NewRule:
    now = {"name": known.name, "enabled": known.enabled, "every_hours": known.every_hours, "terms": known.terms}
    return NewRule(namespace=known.namespace, **{**now, **values})
