"""Where a person is signed in."""

from http import HTTPStatus

from flask import Response

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, current_session, require_reader, subject
from services.auth.api.schemas import OwnSessionOutput
from services.auth.api.services import services
from services.auth.storage.sessions import SESSIONS
from services.auth.usecases.user_sessions import end_sessions_of, show_sessions_of
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("user_sessions", __name__, url_prefix="/api/v1/users", description="Sessions of a person")
# Auditors end their own sessions, too; the use cases refuse them anybody else's.
blueprint.before_request(require_reader)

_SESSIONS = f"/<int(max={MAX_ID}):user_id>/sessions"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@blueprint.route(_SESSIONS)
@blueprint.arguments(page_query(SESSIONS), location="query")
@blueprint.response(HTTPStatus.OK, OwnSessionOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_sessions_of_user(asked: ListRequest, user_id: int) -> Response:
    """List a person's sessions; for themselves, administrators and auditors."""
    auth = services()
    page = show_sessions_of(
        subject(), user_id, asked, session=current_session(), database=auth.database, clock=auth.clock
    )
    return page_response(OwnSessionOutput(), page)


@blueprint.route(_SESSIONS, methods=["DELETE"])
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED)
def delete_sessions_of_user(user_id: int) -> None:
    """End all sessions of a person, as that person or an administrator."""
    end_sessions_of(actor(), user_id, database=services().database, clock=services().clock)


@blueprint.route(f"{_SESSIONS}/<string(maxlength=32):session_id>", methods=["DELETE"])
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED)
def delete_session_of_user(user_id: int, session_id: str) -> None:
    """End one session of a person, as that person or an administrator."""
    end_sessions_of(actor(), user_id, session_id=session_id, database=services().database, clock=services().clock)
