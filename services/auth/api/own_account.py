"""One's own account: profile, password and sessions."""

from http import HTTPStatus
from typing import Any

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.identity import actor, current_session, require_reader, subject
from services.auth.api.schemas import OwnPasswordInput, OwnSessionOutput, ProfileInput, UserOutput
from services.auth.api.services import services
from services.auth.storage.sessions import SESSIONS
from services.auth.storage.users import UserView
from services.auth.usecases.own_account import (
    change_own_password,
    change_profile,
    end_other_sessions,
    end_session,
    show_sessions,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest
from shared.config import Secret

blueprint = ApiBlueprint("own_account", __name__, url_prefix="/api/v1", description="One's own account")
# Auditors, too: this changes nothing but the caller's own affairs.
blueprint.before_request(require_reader)

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("/users/self", methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(ProfileInput)
@blueprint.response(HTTPStatus.OK, UserOutput)
@refuses(blueprint, *_REFUSED)
def put_self(values: dict[str, Any]) -> UserView:
    """Change one's own e-mail address or display name, or disable one's own account."""
    auth, expected = services(), if_match(UserOutput())
    wanted = {"email": None, "display_name": None, **values}
    return change_profile(actor(), **wanted, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route("/users/self/password", methods=["PUT"])
@blueprint.arguments(OwnPasswordInput)
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.TOO_MANY_REQUESTS)
def put_own_password(values: dict[str, str]) -> None:
    """Set a new password; every other session ends, and every login that docker keeps as a refresh token."""
    auth = services()
    change_own_password(
        actor(),
        current=Secret(values["current_password"]),
        new=Secret(values["password"]),
        session=current_session(),
        authenticator=auth.authenticator,
        passwords=auth.passwords,
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route("/sessions")
@blueprint.arguments(page_query(SESSIONS), location="query")
@blueprint.response(HTTPStatus.OK, OwnSessionOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_own_sessions(asked: ListRequest) -> Response:
    """List one's own sessions: where one is signed in."""
    auth = services()
    page = show_sessions(subject(), asked, session=current_session(), database=auth.database, clock=auth.clock)
    return page_response(OwnSessionOutput(), page)


@blueprint.route("/sessions", methods=["DELETE"])
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED)
def delete_other_sessions() -> None:
    """End all of one's sessions but the one that asks."""
    end_other_sessions(actor(), session=current_session(), database=services().database, clock=services().clock)


@blueprint.route("/sessions/<string(maxlength=32):session_id>", methods=["DELETE"])
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_own_session(session_id: str) -> None:
    """End one of one's sessions; its tokens are worthless at once."""
    end_session(actor(), session_id, database=services().database, clock=services().clock)
