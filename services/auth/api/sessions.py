"""Signing in and out."""

from http import HTTPStatus

from services.auth.api.documents import forbid_keeping, refuses
from services.auth.api.identity import caller_agent, origin
from services.auth.api.schemas import RefreshTokenInput, SessionOutput, SignInInput
from services.auth.api.services import services
from services.auth.usecases.authenticate import PasswordCredentials
from services.auth.usecases.sessions import SignedIn, refresh_session, revoke_session, sign_in
from shared.api.blueprints import ApiBlueprint
from shared.config import Secret

blueprint = ApiBlueprint("sessions", __name__, url_prefix="/api/v1/sessions", description="Signing in and out")
blueprint.after_request(forbid_keeping)


@blueprint.route("", methods=["POST"])
@blueprint.doc(security=[])
@blueprint.arguments(SignInInput)
@blueprint.response(HTTPStatus.CREATED, SessionOutput)
@refuses(blueprint, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
def post_session(values: dict[str, str]) -> SignedIn:
    """Sign in with a name and a password."""
    auth = services()
    credentials = PasswordCredentials(values["username"], Secret(values["password"]))
    return sign_in(
        credentials,
        origin=origin(),
        user_agent=caller_agent(),
        authenticator=auth.authenticator,
        keeper=auth.keeper,
    )


@blueprint.route("/refresh", methods=["POST"])
@blueprint.doc(security=[])
@blueprint.arguments(RefreshTokenInput)
@blueprint.response(HTTPStatus.OK, SessionOutput)
@refuses(blueprint, HTTPStatus.UNAUTHORIZED)
def post_refresh(values: dict[str, str]) -> SignedIn:
    """Swap a refresh token for a new access token; the refresh token stays the same."""
    return refresh_session(Secret(values["refresh_token"]), keeper=services().keeper)


@blueprint.route("/revoke", methods=["POST"])
@blueprint.doc(security=[])
@blueprint.arguments(RefreshTokenInput)
@blueprint.response(HTTPStatus.NO_CONTENT)
def post_revoke(values: dict[str, str]) -> None:
    """Sign out; it succeeds for a session that is over already, too."""
    revoke_session(Secret(values["refresh_token"]), origin=origin(), keeper=services().keeper)
