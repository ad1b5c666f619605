"""Questions about rights: why, what would a token hold, who can."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, ValidationError, fields, validate

from services.auth.api.documents import refuses
from services.auth.api.fields import text
from services.auth.api.identity import require_reader, subject
from services.auth.api.services import services
from services.auth.domain.access import SUPPORTED_TYPES, ScopeVerdict
from services.auth.domain.errors import Invalid
from services.auth.domain.subjects import SubjectKind
from services.auth.usecases.explain import Explained, Inquiry, explain_access, simulate_token
from services.auth.usecases.who_can import Place, list_who_can
from shared.api.blueprints import ApiBlueprint
from shared.api.paging import DEFAULT_PER_PAGE, MAX_PER_PAGE, address_with
from shared.oci.names import MAX_REPOSITORY_NAME_LENGTH, InvalidName, parse_repository_name
from shared.oci.scopes import MAX_SCOPE_LENGTH, MAX_SCOPES, InvalidScope, Scope, parse_scopes

blueprint = ApiBlueprint("rights", __name__, url_prefix="/api/v1", description="Who may do what, and why")
# An auditor may ask as well: simulating changes nothing.
blueprint.before_request(require_reader)

ACTIONS = ("pull", "push", "delete", "*")
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_MAX_USERNAME_LENGTH = 255


def _is_repository(value: str) -> None:
    try:
        parse_repository_name(value)
    except InvalidName as fault:
        raise ValidationError(str(fault)) from fault


def _repository() -> fields.String:
    description = f"Full name, up to {MAX_REPOSITORY_NAME_LENGTH} characters."
    return fields.String(required=True, validate=_is_repository, metadata={"description": description})


class AboutQuery(Schema):
    """Whom and where a question is about."""

    username = text(longest=_MAX_USERNAME_LENGTH, load_default=None)
    anonymous = fields.Boolean(load_default=False)
    service = text(longest=255, load_default=None)


class ExplainQuery(AboutQuery):
    """One repository and actions on it; ``action`` may be given several times, and means all when it is not."""

    repository = _repository()
    action = fields.List(fields.String(validate=validate.OneOf(ACTIONS)), load_default=lambda: list(ACTIONS[:3]))


class SimulateInput(AboutQuery):
    """The scopes of a token."""

    scopes = fields.List(
        fields.String(validate=validate.Length(1, MAX_SCOPE_LENGTH)),
        required=True,
        validate=validate.Length(1, MAX_SCOPES),
    )


class WhoCanQuery(Schema):
    """One action on one repository, and which part of the list."""

    repository = _repository()
    action = fields.String(required=True, validate=validate.OneOf(ACTIONS))
    service = text(longest=255, load_default=None)
    per_page = fields.Integer(load_default=DEFAULT_PER_PAGE, validate=validate.Range(1, MAX_PER_PAGE))
    after = fields.String(validate=validate.Regexp(r"(person|robot)-[0-9]{1,10}\Z"), load_default="person-0")


class SubjectOutput(Schema):
    """Whom something is about."""

    kind = fields.Enum(SubjectKind, by_value=True)
    username = fields.String()


class PathOutput(Schema):
    """One way on which something is allowed; each would do alone."""

    kind = fields.String(attribute="kind.value")
    rule = fields.String()
    standing = fields.String(allow_none=True, attribute="standing.value")
    grant_id = fields.Integer(allow_none=True)
    team = fields.String()


class RemedyOutput(Schema):
    """One change after which the answer would be yes, and who can make it."""

    change = fields.String()
    givers = fields.List(fields.String())


class ExplanationOutput(Schema):
    """One decision, explained."""

    action = fields.String()
    allowed = fields.Boolean(attribute="decision.allowed")
    rule = fields.String(attribute="decision.rule")
    reason = fields.String(attribute="decision.reason")
    grant_id = fields.Integer(attribute="decision.grant_id", allow_none=True)
    standing = fields.String(allow_none=True, attribute="standing.value")
    paths = fields.List(fields.Nested(PathOutput))
    remedies = fields.List(fields.Nested(RemedyOutput))


class ExplainedNamespaceOutput(Schema):
    """The namespace that a question is about."""

    id = fields.Integer()
    name = fields.String()
    visibility = fields.String(attribute="visibility.value")
    team = fields.String()
    role = fields.String(attribute="role.value", allow_none=True)


class ExplainedOutput(Schema):
    """Why; ``namespace`` is null where there is none, or where the asker has no part in it."""

    subject = fields.Nested(SubjectOutput)
    repository = fields.String()
    namespace = fields.Nested(ExplainedNamespaceOutput, allow_none=True)
    decisions = fields.List(fields.Nested(ExplanationOutput), attribute="explanations")
    owners = fields.List(fields.String())
    administrators = fields.List(fields.String())


class ActionOutput(Schema):
    """The decision on one action."""

    action = fields.String()
    allowed = fields.Boolean()
    rule = fields.String()
    reason = fields.String()
    grant_id = fields.Integer(allow_none=True)


class VerdictOutput(Schema):
    """The decisions on one scope."""

    scope = fields.String()
    actions = fields.List(fields.Nested(ActionOutput))


class SimulatedOutput(Schema):
    """What a token would hold."""

    subject = fields.Nested(SubjectOutput)
    granted = fields.List(fields.String())
    scopes = fields.List(fields.Nested(VerdictOutput))


class HolderOutput(Schema):
    """Somebody who can, and by which paths."""

    kind = fields.Enum(SubjectKind, by_value=True, attribute="subject.kind")
    username = fields.String(attribute="subject.username")
    display_name = fields.String(allow_none=True)
    paths = fields.List(fields.Nested(PathOutput))


class WhoCanOutput(Schema):
    """Who can: everybody, everybody who has signed in, and those who can by name."""

    everybody = fields.Boolean()
    signed_in = fields.Boolean()
    holders = fields.List(fields.Nested(HolderOutput))


@blueprint.route("/explain")
@blueprint.arguments(ExplainQuery, location="query")
@blueprint.response(HTTPStatus.OK, ExplainedOutput)
@refuses(blueprint, *_REFUSED)
def get_explanation(query: dict[str, Any]) -> Explained:
    """Explain why actions on a repository are allowed or refused, and what would make them allowed."""
    return explain_access(
        subject(),
        username=_username(query),
        repository=query["repository"],
        actions=query["action"],
        service=query["service"],
        inquiry=inquiry(),
    )


@blueprint.route("/simulate", methods=["POST"])
@blueprint.arguments(SimulateInput)
@blueprint.response(HTTPStatus.OK, SimulatedOutput)
@refuses(blueprint, *_REFUSED)
def post_simulation(values: dict[str, Any]) -> Mapping[str, object]:
    """Say what a token for the scopes would hold, for oneself or for somebody else; none is issued."""
    simulated = simulate_token(
        subject(),
        username=_username(values),
        scopes=_scopes(values["scopes"]),
        service=values["service"],
        inquiry=inquiry(),
    )
    return {
        "subject": simulated.subject,
        "granted": list(map(str, simulated.granted)),
        "scopes": [_verdict(verdict) for verdict in simulated.verdicts],
    }


@blueprint.route("/who-can")
@blueprint.arguments(WhoCanQuery, location="query")
@blueprint.response(HTTPStatus.OK, WhoCanOutput)
@refuses(blueprint, *_REFUSED)
def get_who_can(query: dict[str, Any]) -> Response:
    """List who can do something to a repository, and by which paths; for those who manage its namespace."""
    kind, _, after_id = query["after"].partition("-")
    found = list_who_can(
        subject(),
        repository=query["repository"],
        action=query["action"],
        service=query["service"],
        place=Place(SubjectKind(kind), int(after_id)),
        limit=query["per_page"],
        inquiry=inquiry(),
    )
    response = jsonify(WhoCanOutput().dump(found))
    if found.next_place:
        place = f"{found.next_place.kind}-{found.next_place.after_id}"
        response.headers["Link"] = f'<{address_with("after", place)}>; rel="next"'
    return response


def inquiry() -> Inquiry:
    """Return what a question about rights needs."""
    auth = services()
    return Inquiry(auth.database, auth.clock, auth.settings.policy, auth.settings.registry_service)


def _username(query: Mapping[str, Any]) -> str | None:
    username: str | None = query["username"]
    return "" if query["anonymous"] else username


def _scopes(texts: Sequence[str]) -> tuple[Scope, ...]:
    try:
        scopes = parse_scopes(texts)
    except InvalidScope as fault:
        raise Invalid({"scopes": [str(fault)]}) from fault
    unknown = [scope.type for scope in scopes if scope.type not in SUPPORTED_TYPES]
    if unknown:
        raise Invalid({"scopes": [f"the type {unknown[0]!r} is not known: use repository or registry"]})
    return scopes


def _verdict(verdict: ScopeVerdict) -> Mapping[str, object]:
    actions = [
        {
            "action": action,
            "allowed": decision.allowed,
            "rule": decision.rule,
            "reason": decision.reason,
            "grant_id": decision.grant_id,
        }
        for action, decision in verdict.decisions
    ]
    return {"scope": str(verdict.scope), "actions": actions}
