"""Records of decisions: who asked the registry's token service for what, and what it said."""

from http import HTTPStatus

from flask import Response, jsonify
from marshmallow import Schema, fields

from services.auth.api.documents import refuses
from services.auth.api.identity import require_reader, subject
from services.auth.api.services import services
from services.auth.domain.records import Verdict
from services.auth.domain.subjects import SubjectKind
from services.auth.storage.decisions import DECISIONS, DecisionRecord
from services.auth.usecases.show_decisions import show_decision, show_decisions
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import key_query
from shared.api.paging import ListRequest
from shared.api.slices import set_slice_headers

blueprint = ApiBlueprint("decisions", __name__, url_prefix="/api/v1/decisions", description="Records of decisions")
blueprint.before_request(require_reader)

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class DecisionSubjectOutput(Schema):
    """Who asked; nameless when anonymous."""

    kind = fields.Enum(SubjectKind, by_value=True)
    username = fields.String()
    user_id = fields.Integer(allow_none=True)
    robot_id = fields.Integer(allow_none=True)


class CredentialOutput(Schema):
    """With what; empty where the reader is not told."""

    kind = fields.String()
    id = fields.Integer(allow_none=True)
    name = fields.String()


class DecidedActionOutput(Schema):
    """The decision on one action."""

    action = fields.String()
    allowed = fields.Boolean()
    rule = fields.String()
    reason = fields.String()
    grant_id = fields.Integer(allow_none=True)


class DecidedScopeOutput(Schema):
    """The decisions on one scope."""

    type = fields.String()
    name = fields.String()
    actions = fields.List(fields.Nested(DecidedActionOutput))


class DecisionOutput(Schema):
    """One token request. ``address``, ``client``, ``client_id`` and ``account`` are empty where it is not told."""

    id = fields.String()
    at = fields.AwareDateTime()
    service = fields.String()
    subject = fields.Nested(DecisionSubjectOutput)
    credential = fields.Nested(CredentialOutput)
    address = fields.String()
    client = fields.String()
    client_id = fields.String()
    account = fields.String()
    verdict = fields.Enum(Verdict, by_value=True)
    action = fields.String()
    repository = fields.String()
    namespace = fields.String(allow_none=True)
    reason = fields.String()
    scopes = fields.List(fields.Nested(DecidedScopeOutput))
    degraded = fields.Boolean()


@blueprint.route("")
@blueprint.arguments(key_query(DECISIONS), location="query")
@blueprint.response(HTTPStatus.OK, DecisionOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_decisions(asked: ListRequest) -> Response:
    """List the token requests that the caller may know of, newest first."""
    part = show_decisions(subject(), asked, database=services().database)
    return set_slice_headers(jsonify(DecisionOutput().dump(part.rows, many=True)), part)


@blueprint.route("/<string(maxlength=64):decision_id>")
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, DecisionOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_decision(decision_id: str) -> DecisionRecord:
    """Show one token request; its id is in the link of a refusal."""
    return show_decision(subject(), decision_id, database=services().database)
