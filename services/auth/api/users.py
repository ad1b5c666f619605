"""People's accounts."""

from http import HTTPStatus
from typing import Any

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.schemas import NewAccountInput, UserChangeInput, UserOutput
from services.auth.api.services import services
from services.auth.api.user_deletion_schemas import UserDeletionOutput, UserDeletionQuery
from services.auth.domain.accounts import MAX_EMAIL_LENGTH, UserChange
from services.auth.storage.users import USERS, UserView
from services.auth.usecases.delete_user import Heirs, UserDeletion, delete_user, preview_user_deletion
from services.auth.usecases.manage_users import change_user, show_self, show_user, show_users
from services.auth.usecases.people import NewPerson, create_user
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest
from shared.config import Secret

blueprint = ApiBlueprint("users", __name__, url_prefix="/api/v1/users", description="People's accounts")
blueprint.before_request(require_person)

_ID_OR_EMAIL = f"/<string(maxlength={MAX_EMAIL_LENGTH}):user_id>"
_USER = f"/<int(max={MAX_ID}):user_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("/self")
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, UserOutput)
@refuses(blueprint, *_REFUSED)
def get_self() -> UserView:
    """Show the caller's own account."""
    return show_self(subject(), database=services().database)


@blueprint.route("")
@blueprint.arguments(page_query(USERS), location="query")
@blueprint.response(HTTPStatus.OK, UserOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_users(asked: ListRequest) -> Response:
    """List all accounts; for administrators."""
    page = show_users(subject(), asked, database=services().database)
    return page_response(UserOutput(), page)


@blueprint.route("", methods=["POST"])
@blueprint.creates(".get_user", user_id="id")
@blueprint.arguments(NewAccountInput)
@blueprint.response(HTTPStatus.CREATED, UserOutput)
@refuses(blueprint, *_REFUSED)
def post_user(values: dict[str, Any]) -> UserView:
    """Make an account, a person's or a bot's; for administrators."""
    auth = services()
    password = Secret(values["password"]) if "password" in values else None
    person = NewPerson(**values | {"password": password})
    return create_user(actor(), person, database=auth.database, clock=auth.clock, passwords=auth.passwords)


@blueprint.route(_ID_OR_EMAIL)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, UserOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_user(user_id: str) -> UserView:
    """Show an account, by its id or its e-mail address; for administrators."""
    return show_user(subject(), user_id, database=services().database)


@blueprint.route(_USER, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(UserChangeInput)
@blueprint.response(HTTPStatus.OK, UserOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def put_user(values: dict[str, Any], user_id: int) -> UserView:
    """Change an account; for administrators. A new password, or disabling, ends its sessions."""
    auth = services()
    return change_user(
        actor(),
        user_id,
        UserChange(**values),
        expected=if_match(UserOutput()),
        database=auth.database,
        clock=auth.clock,
        passwords=auth.passwords,
    )


@blueprint.route(f"{_USER}/deletion")
@blueprint.response(HTTPStatus.OK, UserDeletionOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
def get_deletion(user_id: int) -> UserDeletion:
    """Tell what would go with an account, and what is to be settled before; for administrators and auditors."""
    auth = services()
    return preview_user_deletion(subject(), user_id, catalog=auth.catalog, database=auth.database)


@blueprint.route(_USER, methods=["DELETE"])
@blueprint.versioned
@blueprint.arguments(UserDeletionQuery, location="query")
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
def remove_user(heirs: Heirs, user_id: int) -> None:
    """Delete an account with its tokens, sessions and grants; for administrators.

    A personal namespace that holds images, and teams without another owner, are to be settled in the
    request. What cannot be deleted is named, and the account stays; the same request goes on.
    """
    auth, expected = services(), if_match(UserOutput())
    delete_user(
        actor(),
        user_id,
        heirs,
        rules=auth.settings.rules,
        catalog=auth.catalog,
        expected=expected,
        database=auth.database,
        clock=auth.clock,
    )
