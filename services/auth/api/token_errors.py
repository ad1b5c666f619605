"""Errors of the token endpoint, in the two forms that its clients read.

GET: the registry's own ``{"errors": [{"code", "message"}]}``; docker prints the message of any 4xx,
podman, skopeo and buildah that of 401 only. So 401 also answers a scope that cannot be understood.

POST: RFC 6749 §5.2. Containerd and BuildKit try this verb first. A wrong password is 400
``invalid_grant``, which BuildKit takes as final; containerd asks again by GET after any of 400, 401,
404 and 405. Its second try costs no second hash: the first one's outcome is remembered. The body holds the
registry's form as well, which docker reads when it posts a refresh token; skopeo and its like do so
under 401 only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from services.auth.api.services import services
from services.auth.api.token_clients import reads_401_only
from services.auth.domain.errors import (
    BadCredentials,
    Overloaded,
    PasswordsClosed,
    SigningUnavailable,
    TooManyAttempts,
)
from shared.api.databases import AWAY_RETRY_AFTER_S, AWAY_TEXT, note_database_away
from shared.database import DATABASE_AWAY
from shared.oci.scopes import InvalidScope

log = structlog.get_logger(__name__)


class InvalidRequest(Exception):
    """A parameter is missing."""


class UnsupportedGrantType(Exception):
    """A grant that is not offered."""


@dataclass(frozen=True, slots=True)
class TokenError:
    """One error, for both verbs."""

    get_status: HTTPStatus
    code: str
    """Of the registry's error format."""
    post_status: HTTPStatus
    error: str
    """Of RFC 6749 §5.2."""

    @property
    def is_about_credentials(self) -> bool:
        return self.get_status is HTTPStatus.UNAUTHORIZED


_TABLE: dict[type[Exception], TokenError] = {
    BadCredentials: TokenError(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", HTTPStatus.BAD_REQUEST, "invalid_grant"),
    PasswordsClosed: TokenError(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", HTTPStatus.BAD_REQUEST, "invalid_grant"),
    InvalidScope: TokenError(HTTPStatus.UNAUTHORIZED, "DENIED", HTTPStatus.BAD_REQUEST, "invalid_scope"),
    InvalidRequest: TokenError(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", HTTPStatus.BAD_REQUEST, "invalid_request"),
    UnsupportedGrantType: TokenError(
        HTTPStatus.BAD_REQUEST, "UNSUPPORTED", HTTPStatus.BAD_REQUEST, "unsupported_grant_type"
    ),
    TooManyAttempts: TokenError(
        HTTPStatus.TOO_MANY_REQUESTS, "TOOMANYREQUESTS", HTTPStatus.TOO_MANY_REQUESTS, "invalid_grant"
    ),
    Overloaded: TokenError(
        HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable"
    ),
}
_AWAY = _TABLE[SigningUnavailable] = _TABLE[Overloaded]
_BROKEN = TokenError(HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", HTTPStatus.INTERNAL_SERVER_ERROR, "server_error")

# RFC 6749 §5.2: what an error_description may hold.
_UNDESCRIBABLE = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")


def register_token_errors(blueprint: Blueprint) -> None:
    """Let every error of the token endpoint leave in the form that its client reads."""
    for kind, error in _TABLE.items():
        blueprint.register_error_handler(kind, _handler(error))
    for kind in DATABASE_AWAY:
        blueprint.register_error_handler(kind, _database_away)
    blueprint.register_error_handler(HTTPException, _http_exception)
    blueprint.register_error_handler(Exception, _unexpected)


def describable(text: str) -> str:
    """Return a text as an ``error_description`` may hold it."""
    return _UNDESCRIBABLE.sub("?", text)


def _handler(error: TokenError) -> Callable[[Exception], Response]:
    def handle(fault: Exception) -> Response:
        return _answer(error, str(fault), getattr(fault, "retry_after_s", None))

    return handle


def _database_away(fault: Exception) -> Response:
    note_database_away(fault)
    return _answer(_AWAY, AWAY_TEXT, AWAY_RETRY_AFTER_S)


def _http_exception(fault: HTTPException) -> Response:
    status = HTTPStatus(fault.code or 500)
    return _answer(TokenError(status, "UNSUPPORTED", status, "invalid_request"), status.phrase)


def _unexpected(fault: Exception) -> Response:
    log.error("token.failed", exc_info=fault)
    return _answer(_BROKEN, "Something went wrong here, not with your request.")


def _answer(error: TokenError, text: str, retry_after_s: int | None = None) -> Response:
    if request.method == "POST":
        # Clients that post with a refresh token read the registry's form.
        errors = [{"code": error.code, "message": text}]
        response = jsonify(error=error.error, error_description=describable(text), errors=errors)
        status = HTTPStatus.UNAUTHORIZED if error.is_about_credentials and reads_401_only() else error.post_status
    else:
        response = jsonify(errors=[{"code": error.code, "message": text}])
        status = error.get_status
    response.status_code = status.value
    response.headers["Cache-Control"] = "no-store"
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = f'Basic realm="{services().settings.registry_service}"'
    return response
