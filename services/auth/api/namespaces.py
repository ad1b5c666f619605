"""Namespaces."""

from http import HTTPStatus
from typing import Any

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.namespace_schemas import NamespaceChangeInput, NamespaceOutput, NewNamespaceInput
from services.auth.api.services import services
from services.auth.storage.namespaces import NAMESPACES, NamespaceView
from services.auth.usecases.create_namespace import create_namespace
from services.auth.usecases.namespaces import NamespaceChange, change_namespace, show_namespace, show_namespaces
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("namespaces", __name__, url_prefix="/api/v1/namespaces", description="Namespaces")
blueprint.before_request(require_person)

_NAMESPACE = f"/<int(max={MAX_ID}):namespace_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@blueprint.route("")
@blueprint.arguments(page_query(NAMESPACES), location="query")
@blueprint.response(HTTPStatus.OK, NamespaceOutput(many=True))
@refuses(blueprint, HTTPStatus.UNAUTHORIZED)
def list_namespaces(asked: ListRequest) -> Response:
    """List the namespaces from which the caller may pull."""
    page = show_namespaces(subject(), asked, database=services().database, clock=services().clock)
    return page_response(NamespaceOutput(), page)


@blueprint.route("", methods=["POST"])
@blueprint.creates(".get_namespace", namespace_id="id")
@blueprint.arguments(NewNamespaceInput)
@blueprint.response(HTTPStatus.CREATED, NamespaceOutput)
@refuses(blueprint, *_REFUSED)
def post_namespace(values: dict[str, Any]) -> NamespaceView:
    """Make a private namespace for a team; for those who may push to it."""
    auth = services()
    return create_namespace(actor(), **values, rules=auth.settings.rules, database=auth.database, clock=auth.clock)


@blueprint.route(_NAMESPACE)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, NamespaceOutput)
@refuses(blueprint, *_REFUSED)
def get_namespace(namespace_id: int) -> NamespaceView:
    """Show a namespace from which the caller may pull."""
    return show_namespace(subject(), namespace_id, database=services().database, clock=services().clock)


@blueprint.route(_NAMESPACE, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(NamespaceChangeInput)
@blueprint.response(HTTPStatus.OK, NamespaceOutput)
@refuses(blueprint, *_REFUSED)
def put_namespace(values: dict[str, Any], namespace_id: int) -> NamespaceView:
    """Change description or visibility; for owners of the team."""
    auth = services()
    change = NamespaceChange(**values)
    return change_namespace(
        actor(),
        namespace_id,
        change,
        rules=auth.settings.rules,
        expected=if_match(NamespaceOutput()),
        database=auth.database,
        clock=auth.clock,
    )
