"""Custom roles: named sets of actions for grants."""

from http import HTTPStatus

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.grant_schemas import ForceQuery, NewRoleInput, RoleChangeInput, RoleOutput
from services.auth.api.identity import actor, require_person
from services.auth.api.services import services
from services.auth.domain.roles import NewRole, RoleChange
from services.auth.storage.roles import ROLES, RoleView
from services.auth.usecases.roles import change_role, create_role, remove_role, show_role, show_roles
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("roles", __name__, url_prefix="/api/v1/roles", description="Roles")
blueprint.before_request(require_person)

_ROLE = f"/<int(max={MAX_ID}):role_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("")
@blueprint.arguments(page_query(ROLES), location="query")
@blueprint.response(HTTPStatus.OK, RoleOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_roles(asked: ListRequest) -> Response:
    """List the roles: the built-in ones of teams, which nobody changes, and the custom ones for grants."""
    return page_response(RoleOutput(), show_roles(asked, database=services().database))


@blueprint.route("", methods=["POST"])
@blueprint.creates(".get_role", role_id="id")
@blueprint.arguments(NewRoleInput)
@blueprint.response(HTTPStatus.CREATED, RoleOutput)
@refuses(blueprint, *_REFUSED)
def post_role(new: NewRole) -> RoleView:
    """Make a custom role; for administrators."""
    return create_role(actor(), new, database=services().database, clock=services().clock)


@blueprint.route(_ROLE)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, RoleOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_role(role_id: int) -> RoleView:
    """Show a custom role."""
    return show_role(role_id, database=services().database)


@blueprint.route(_ROLE, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(RoleChangeInput)
@blueprint.response(HTTPStatus.OK, RoleOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def put_role(change: RoleChange, role_id: int) -> RoleView:
    """Change a custom role, and with it what all its grants give; for administrators."""
    auth, expected = services(), if_match(RoleOutput())
    return change_role(actor(), role_id, change, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route(_ROLE, methods=["DELETE"])
@blueprint.versioned
@blueprint.arguments(ForceQuery, location="query")
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_role(query: dict[str, bool], role_id: int) -> None:
    """Delete a custom role; for administrators. With ``force`` the grants that carry it are revoked with it."""
    auth, expected = services(), if_match(RoleOutput())
    remove_role(actor(), role_id, **query, expected=expected, database=auth.database, clock=auth.clock)
