"""``/internal/v1``: what ``catalog`` and ``notifier`` ask; never routed from outside."""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request
from marshmallow import Schema, ValidationError, fields, validate

from services.auth.api.fields import MAX_ID
from services.auth.api.identity import identify
from services.auth.api.services import services
from services.auth.domain.decisions import Decision
from services.auth.domain.management import Operation
from services.auth.domain.subjects import Subject, SubjectKind
from services.auth.usecases.check_permissions import (
    RepositoryPlace,
    check_operations,
    check_permissions,
    check_repositories,
)
from services.auth.usecases.namespaces import find_catalogued_namespace, find_unknown_namespaces
from services.auth.usecases.show_visibility import show_visibility
from shared.api.peers import require_peer
from shared.api.problems import Problem, problem_response
from shared.config import Secret
from shared.oci.names import MAX_REPOSITORY_NAME_LENGTH

MAX_ACTIONS = 10
"""Most actions in one question."""

MAX_NAMES = 1000
"""Most namespaces, or repositories, in one question."""


class VisibilityQuery(Schema):
    """What is to be said besides."""

    namespace_id = fields.Integer(validate=validate.Range(0, MAX_ID))


class PermissionsInput(Schema):
    """One repository and the actions that somebody wants to do to it."""

    repository = fields.String(required=True, validate=validate.Length(1, MAX_REPOSITORY_NAME_LENGTH))
    actions = fields.List(fields.String(), required=True, validate=validate.Length(1, MAX_ACTIONS))


class RepositoriesInput(Schema):
    """Repositories and the actions that somebody wants to do to each of them."""

    repositories = fields.List(
        fields.String(validate=validate.Length(1, MAX_REPOSITORY_NAME_LENGTH)),
        required=True,
        validate=validate.Length(max=MAX_NAMES),
    )
    actions = fields.List(fields.String(), required=True, validate=validate.Length(1, MAX_ACTIONS))


class OperationsInput(Schema):
    """What somebody wants to manage in a namespace; ``null``: in the whole installation."""

    namespace_id = fields.Integer(required=True, allow_none=True, validate=validate.Range(0, MAX_ID))
    operations = fields.List(
        fields.Enum(Operation, by_value=True), required=True, validate=validate.Length(1, MAX_ACTIONS)
    )


class NamesInput(Schema):
    """Namespaces of the registry that the environment names."""

    names = fields.List(
        fields.String(validate=validate.Length(1, MAX_REPOSITORY_NAME_LENGTH)),
        required=True,
        validate=validate.Length(max=MAX_NAMES),
    )


_VISIBILITY = VisibilityQuery()
_PERMISSIONS = PermissionsInput()
_REPOSITORIES = RepositoriesInput()
_OPERATIONS = OperationsInput()
_NAMES = NamesInput()


def internal_blueprint(secret: Secret) -> Blueprint:
    """Build the routes for peers."""
    blueprint = Blueprint("internal", __name__, url_prefix="/internal/v1")
    require_peer(blueprint, secret)
    blueprint.add_url_rule("/visibility", view_func=get_visibility)
    blueprint.add_url_rule("/permissions", view_func=post_permissions, methods=["POST"])
    blueprint.add_url_rule("/repositories", view_func=post_repositories, methods=["POST"])
    blueprint.add_url_rule("/operations", view_func=post_operations, methods=["POST"])
    blueprint.add_url_rule("/namespaces/unknown", view_func=post_unknown_namespaces, methods=["POST"])
    blueprint.register_error_handler(ValidationError, _unusable)
    return blueprint


def get_visibility() -> Response:
    """Say what the holder of the forwarded ``Authorization`` header may see, and which namespace has an id."""
    asked, caller = _VISIBILITY.load(request.args), identify()
    visible = show_visibility(caller, database=services().database, clock=services().clock)
    return jsonify(
        subject=_dump_subject(visible.subject),
        everything=visible.everything,
        global_namespace=visible.global_namespace,
        namespaces=visible.namespaces,
        repositories=[{"namespace": each.namespace, "pattern": each.pattern} for each in visible.glimpses],
        **({"namespace": _dump_namespace(caller, asked["namespace_id"])} if asked else {}),
    )


def _dump_namespace(caller: Subject, namespace_id: int) -> dict[str, str] | None:
    name = find_catalogued_namespace(caller, namespace_id, database=services().database, clock=services().clock)
    return None if name is None else {"name": name}


def post_permissions() -> Response:
    """Say which actions the holder of the forwarded ``Authorization`` header may do to one repository."""
    wanted = _PERMISSIONS.load(request.get_json())
    auth = services()
    decisions = check_permissions(
        identify(), **wanted, rules=auth.settings.rules, database=auth.database, clock=auth.clock
    )
    return jsonify(actions={action: _dump_decision(decision) for action, decision in decisions.items()})


def post_repositories() -> Response:
    """Say where repositories lie, and what the holder of the forwarded ``Authorization`` header may do to each."""
    wanted = _REPOSITORIES.load(request.get_json())
    auth = services()
    places = check_repositories(
        identify(), **wanted, rules=auth.settings.rules, database=auth.database, clock=auth.clock
    )
    return jsonify(repositories={place.repository: _dump_place(place) for place in places})


def _dump_place(place: RepositoryPlace) -> dict[str, object]:
    allowed = [action for action, decision in place.decisions.items() if decision.allowed]
    return {"namespace_id": place.namespace_id, "allowed": allowed}


def post_operations() -> Response:
    """Say what the holder of the forwarded ``Authorization`` header may manage in one namespace."""
    wanted, caller = _OPERATIONS.load(request.get_json()), identify()
    auth = services()
    answer = check_operations(caller, **wanted, rules=auth.settings.rules, database=auth.database, clock=auth.clock)
    return jsonify(
        subject=_dump_subject(caller),
        namespace=None if answer.namespace is None else {"name": answer.namespace, "team_id": answer.team_id},
        operations={operation: _dump_decision(decision) for operation, decision in answer.decisions.items()},
    )


def post_unknown_namespaces() -> Response:
    """Say which of some namespaces nobody has made."""
    names = _NAMES.load(request.get_json())["names"]
    return jsonify(unknown=find_unknown_namespaces(names, database=services().database))


def _dump_decision(decision: Decision) -> dict[str, object]:
    return {"allowed": decision.allowed, "rule": decision.rule, "reason": decision.reason}


def _dump_subject(subject: Subject) -> dict[str, object] | None:
    if subject.kind is SubjectKind.ANONYMOUS:
        return None
    # A narrowed credential is for the registry: it carries nothing of an office.
    is_whole = subject.narrowing is None
    return {
        "id": subject.id,
        "username": subject.username,
        "kind": subject.kind.value,
        "administrator": is_whole and subject.administrator,
        "auditor": is_whole and subject.auditor,
        "narrowed": not is_whole,
    }


def _unusable(fault: ValidationError) -> Response:
    return problem_response(
        Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid.", errors=dict(fault.messages_dict))
    )
