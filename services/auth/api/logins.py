"""Logins to a registry that last: one's own, and those of a person."""

from http import HTTPStatus

from flask import Response
from marshmallow import Schema, fields

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_reader, subject
from services.auth.api.schemas import UserRefOutput
from services.auth.api.services import services
from services.auth.storage.logins import LOGINS, LoginView
from services.auth.usecases.logins import revoke_login, show_login, show_logins
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("logins", __name__, url_prefix="/api/v1", description="Logins to a registry")
# Whatever the use cases let pass concerns the caller's own logins, or asks for an administrator.
blueprint.before_request(require_reader)

_LOGIN = f"/logins/<int(max={MAX_ID}):login_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class LoginOutput(Schema):
    """A login; ``application`` names the application token that it was got with, if it was one."""

    id = fields.Integer()
    user = fields.Nested(UserRefOutput)
    service = fields.Function(lambda login: login.service or services().settings.registry_service)
    credential = fields.String()
    application = fields.String(allow_none=True)
    client_id = fields.String()
    address = fields.String()
    created_at = fields.AwareDateTime()
    last_used_at = fields.AwareDateTime()
    expires_at = fields.AwareDateTime()


@blueprint.route("/logins")
@blueprint.arguments(page_query(LOGINS), location="query")
@blueprint.response(HTTPStatus.OK, LoginOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_own_logins(asked: ListRequest) -> Response:
    """List the caller's own logins to a registry that have not ended."""
    return _list(subject().user_id or 0, asked)


@blueprint.route(_LOGIN)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, LoginOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_login(login_id: int) -> LoginView:
    """Show a login to its owner, administrators and auditors."""
    return show_login(subject(), login_id, database=services().database)


@blueprint.route(_LOGIN, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_login(login_id: int) -> None:
    """End a login, as its owner or an administrator; the client has to log in again."""
    auth = services()
    expected = if_match(LoginOutput())
    revoke_login(actor(), login_id, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route(f"/users/<int(max={MAX_ID}):user_id>/logins")
@blueprint.arguments(page_query(LOGINS), location="query")
@blueprint.response(HTTPStatus.OK, LoginOutput(many=True))
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def list_logins_of_user(asked: ListRequest, user_id: int) -> Response:
    """List a person's logins; for themselves, administrators and auditors."""
    return _list(user_id, asked)


def _list(user_id: int, asked: ListRequest) -> Response:
    page = show_logins(subject(), user_id, asked, database=services().database, clock=services().clock)
    return page_response(LoginOutput(), page)
