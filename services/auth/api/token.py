"""``GET`` and ``POST /v2/token``: tokens for the registry. The hot path: a plain Flask route.

Source: distribution "Token Authentication Specification" (GET) and "OAuth2 Token Authentication"
(POST).
"""

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request

from services.auth.api.identity import basic_credentials, caller_address
from services.auth.api.services import services
from services.auth.api.token_clients import takes_less
from services.auth.api.token_errors import InvalidRequest, UnsupportedGrantType, register_token_errors
from services.auth.api.token_refusals import refusal_to_get, refusal_to_post
from services.auth.domain.errors import BadCredentials
from services.auth.usecases.authenticate import Credentials, PasswordCredentials, RefreshCredentials
from services.auth.usecases.decision_log import Client
from services.auth.usecases.issue_token import IssuedToken, RefusedToken, TokenRequest, issue_token
from shared.config import Secret
from shared.oci.scopes import Scope, parse_scopes

MAX_FORM_BYTES = 64 * 1024
"""Largest body of a POST: the longest list of scopes, and then some."""


def token_blueprint() -> Blueprint:
    """Build the routes of the token endpoint."""
    blueprint = Blueprint("token", __name__, url_prefix="/v2")
    blueprint.add_url_rule("/token", view_func=get_token, methods=["GET"])
    blueprint.add_url_rule("/token", view_func=post_token, methods=["POST"])
    blueprint.add_url_rule("/", view_func=ping, methods=["GET"])
    register_token_errors(blueprint)
    return blueprint


def get_token() -> Response:
    """Answer what most clients ask; ``account`` is informative and changes nothing."""
    issued = _issue(
        basic_credentials(request.headers.get("Authorization")),
        request.args,
        parse_scopes(request.args.getlist("scope")),
        stays=request.args.get("offline_token") == "true",
    )
    if isinstance(issued, RefusedToken):
        return refusal_to_get(issued)
    token = issued.token.token.reveal()
    return _uncached(jsonify(token=token, access_token=token, **_lifetime(issued), **_login(issued)))


def post_token() -> Response:
    """Answer an OAuth 2 form with the password grant, or with the refresh token of a login that lasts."""
    request.max_content_length = MAX_FORM_BYTES
    stays = request.form.get("access_type") == "offline"
    issued = _issue(_grant(), request.form, parse_scopes(request.form.getlist("scope")), stays=stays)
    if isinstance(issued, RefusedToken):
        return refusal_to_post(issued)
    scope = " ".join(map(str, issued.granted))
    token = issued.token.token.reveal()
    body = {"access_token": token, "token_type": "Bearer", "scope": scope}
    return _uncached(jsonify(**body, **_lifetime(issued), **_login(issued)))


def ping() -> Response:
    """Tell a client whether its name and password are good."""
    credentials = basic_credentials(request.headers.get("Authorization"))
    if credentials is None:
        raise BadCredentials("Send a name and a password (Basic).")
    services().authenticator.authenticate(credentials, address=caller_address())
    return jsonify()


def _issue(
    credentials: Credentials | None, parameters: Mapping[str, str], scopes: tuple[Scope, ...], *, stays: bool
) -> IssuedToken | RefusedToken:
    user_agent = request.headers.get("User-Agent", "")
    asked = TokenRequest(
        credentials=credentials,
        service=parameters.get("service"),
        scopes=scopes,
        address=caller_address(),
        client=Client(user_agent, parameters.get("client_id", ""), parameters.get("account", "")),
        stays=stays,
        takes_less=takes_less(),
    )
    return issue_token(asked, issuing=services().issuing)


def _grant() -> Credentials:
    form = request.form
    grant_type = form.get("grant_type")
    if not grant_type:
        raise InvalidRequest("grant_type is missing: send a form with grant_type=password or refresh_token")
    if grant_type == "refresh_token":
        return RefreshCredentials(Secret(_needed("refresh_token")))
    if grant_type == "password":
        return PasswordCredentials(_needed("username"), Secret(_needed("password")))
    raise UnsupportedGrantType("only grant_type=password and grant_type=refresh_token are supported")


def _needed(name: str) -> str:
    value = request.form.get(name)
    if value is None:
        raise InvalidRequest(f"{name} is missing")
    return value


def _login(issued: IssuedToken) -> dict[str, str]:
    return {"refresh_token": issued.refresh_token.reveal()} if issued.refresh_token else {}


def _lifetime(issued: IssuedToken) -> dict[str, object]:
    # RFC 3339; the registry's clients take "Z" and no fraction.
    issued_at = issued.token.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"expires_in": issued.token.expires_in_s, "issued_at": issued_at}


def _uncached(response: Response) -> Response:
    # RFC 6749 §5.1
    response.headers["Cache-Control"] = "no-store"
    return response
