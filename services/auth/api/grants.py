"""Grants: named actions on repository patterns, for people, teams and robots."""

from dataclasses import replace
from http import HTTPStatus

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.grant_schemas import GrantChangeInput, GrantOutput, NewGrantInput, TermsInput
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.services import services
from services.auth.domain.grants import GrantChange, NewGrant
from services.auth.storage.grants import GRANTS, GrantView
from services.auth.usecases.grants import change_grant, create_grant, revoke_grant, show_grant, show_grants
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("grants", __name__, url_prefix="/api/v1", description="Grants")
blueprint.before_request(require_person)

_GRANT = f"/grants/<int(max={MAX_ID}):grant_id>"
_OF_NAMESPACE = f"/namespaces/<int(max={MAX_ID}):namespace_id>/grants"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("/grants")
@blueprint.arguments(page_query(GRANTS), location="query")
@blueprint.response(HTTPStatus.OK, GrantOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_grants(asked: ListRequest) -> Response:
    """List the grants that the caller could give or has; administrators and auditors get all.

    Those that have expired are listed when ``expired`` asks for them.
    """
    page = show_grants(subject(), asked, database=services().database, clock=services().clock)
    return page_response(GrantOutput(), page)


@blueprint.route("/grants", methods=["POST"])
@blueprint.creates(".get_grant", grant_id="id")
@blueprint.arguments(NewGrantInput)
@blueprint.response(HTTPStatus.CREATED, GrantOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def post_grant(new: NewGrant) -> GrantView:
    """Give a grant: in a namespace for those who manage it, in many for administrators."""
    return create_grant(actor(), new, database=services().database, clock=services().clock)


@blueprint.route(_GRANT)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, GrantOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_grant(grant_id: int) -> GrantView:
    """Show a grant."""
    return show_grant(subject(), grant_id, database=services().database, clock=services().clock)


@blueprint.route(_GRANT, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(GrantChangeInput)
@blueprint.response(HTTPStatus.OK, GrantOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def put_grant(change: GrantChange, grant_id: int) -> GrantView:
    """Change what a grant gives, until when, or why; for those who could give it."""
    auth, expected = services(), if_match(GrantOutput())
    return change_grant(actor(), grant_id, change, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route(_GRANT, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_grant(grant_id: int) -> None:
    """Revoke a grant; for those who could give it."""
    auth, expected = services(), if_match(GrantOutput())
    revoke_grant(actor(), grant_id, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route(_OF_NAMESPACE)
@blueprint.arguments(page_query(GRANTS), location="query")
@blueprint.response(HTTPStatus.OK, GrantOutput(many=True))
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def list_grants_of_namespace(asked: ListRequest, namespace_id: int) -> Response:
    """List the grants in one namespace that the caller could give or has."""
    auth = services()
    page = show_grants(subject(), asked, namespace_id=namespace_id, database=auth.database, clock=auth.clock)
    return page_response(GrantOutput(), page)


@blueprint.route(_OF_NAMESPACE, methods=["POST"])
@blueprint.creates(".get_grant", grant_id="id")
@blueprint.arguments(TermsInput)
@blueprint.response(HTTPStatus.CREATED, GrantOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def post_grant_of_namespace(new: NewGrant, namespace_id: int) -> GrantView:
    """Give a grant in a namespace; for those who manage it."""
    new = replace(new, namespace_id=namespace_id)
    return create_grant(actor(), new, database=services().database, clock=services().clock)
