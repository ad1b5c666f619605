"""Namespaces."""

from http import HTTPStatus
from typing import Any

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID, ValidationOutput
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.namespace_schemas import (
    ListedNamespaceOutput,
    NamespaceChangeInput,
    NamespaceDeletionOutput,
    NamespaceOutput,
    NewNamespaceInput,
    ValidationQuery,
)
from services.auth.api.services import services
from services.auth.storage.namespaces import NAMESPACES, NamespaceView
from services.auth.usecases.change_namespace import NamespaceChange, change_namespace
from services.auth.usecases.create_namespace import create_namespace
from services.auth.usecases.delete_namespace import NamespaceDeletion, delete_namespace, preview_deletion
from services.auth.usecases.namespaces import show_namespace, show_namespaces, validate_namespace
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
@blueprint.response(HTTPStatus.OK, ListedNamespaceOutput(many=True))
@refuses(blueprint, HTTPStatus.UNAUTHORIZED)
def list_namespaces(asked: ListRequest) -> Response:
    """List the namespaces from which the caller may pull."""
    auth = services()
    page = show_namespaces(subject(), asked, catalog=auth.catalog, database=auth.database, clock=auth.clock)
    return page_response(ListedNamespaceOutput(), page)


@blueprint.route("/validate")
@blueprint.arguments(ValidationQuery, location="query")
@blueprint.response(HTTPStatus.OK, ValidationOutput)
@refuses(blueprint, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
def get_validation(query: dict[str, Any]) -> dict[str, Any]:
    """Tell whether a namespace of a name could be made."""
    messages = validate_namespace(**query, database=services().database)
    return {"valid": not messages, "messages": messages}


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
def put_namespace(change: NamespaceChange, namespace_id: int) -> NamespaceView:
    """Change description, visibility or team; for owners of the team."""
    auth = services()
    return change_namespace(
        actor(),
        namespace_id,
        change,
        rules=auth.settings.rules,
        expected=if_match(NamespaceOutput()),
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(f"{_NAMESPACE}/deletion")
@blueprint.response(HTTPStatus.OK, NamespaceDeletionOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.SERVICE_UNAVAILABLE)
def get_deletion(namespace_id: int) -> NamespaceDeletion:
    """Tell what would go with a namespace; for those who may delete it."""
    auth = services()
    return preview_deletion(
        subject(),
        namespace_id,
        rules=auth.settings.rules,
        catalog=auth.catalog,
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(_NAMESPACE, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
def remove_namespace(namespace_id: int) -> None:
    """Delete a namespace and all images in it, in the registry too.

    What cannot be deleted is named, and the namespace stays; the same request goes on.
    """
    auth = services()
    delete_namespace(
        actor(),
        namespace_id,
        rules=auth.settings.rules,
        catalog=auth.catalog,
        expected=if_match(NamespaceOutput()),
        database=auth.database,
        clock=auth.clock,
    )
