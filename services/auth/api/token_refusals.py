"""Refusals of the token endpoint, so that each client shows its person why.

What reaches a person was measured with the clients themselves: docs/refusals.md. Most print the message
of an error body; some only that of 401. containerd prints nothing of a body, but the status line as it
was sent; it asks again after 401 and not after 403. Clients are told apart by what they say that they are.

Source: distribution "Token Authentication Specification"; RFC 6749 §5.2 for POST, whose body also holds
the registry's form, because clients that post with a refresh token read that.
"""

import re
from http import HTTPStatus

from flask import Response, jsonify

from services.auth.api.services import services
from services.auth.api.token_clients import reads_401_only, reads_status_line
from services.auth.api.token_errors import describable
from services.auth.usecases.issue_token import RefusedToken

MAX_PHRASE_LENGTH = 400
"""Of what is put into a status line."""

_NOT_IN_A_LINE = re.compile(r"[^\x20-\x7e]")


def refusal_to_get(refused: RefusedToken) -> Response:
    """Answer in the registry's own form."""
    text = _text(refused)
    return _answer(refused, jsonify(errors=[{"code": "DENIED", "message": text}]), HTTPStatus.UNAUTHORIZED)


def refusal_to_post(refused: RefusedToken) -> Response:
    """Answer in both forms at once."""
    text = _text(refused)
    body = jsonify(
        error="invalid_scope", error_description=describable(text), errors=[{"code": "DENIED", "message": text}]
    )
    return _answer(refused, body, HTTPStatus.UNAUTHORIZED if reads_401_only() else HTTPStatus.BAD_REQUEST)


def _answer(refused: RefusedToken, response: Response, status: HTTPStatus) -> Response:
    response.status_code = status.value
    response.headers["Cache-Control"] = "no-store"
    if reads_status_line():
        response.status = f"{HTTPStatus.FORBIDDEN.value} {_phrase(refused)}"
    elif status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = f'Basic realm="{services().settings.registry_service}"'
    return response


def _text(refused: RefusedToken) -> str:
    return f"{refused.sentence}; see {refused.link}"


def _phrase(refused: RefusedToken) -> str:
    """Return the text as a reason phrase: one line of ASCII, with room for the link. Source: RFC 9112 §4."""
    room = max(0, MAX_PHRASE_LENGTH - len(refused.link) - len("; see "))
    return _NOT_IN_A_LINE.sub("?", f"{refused.sentence[:room]}; see {refused.link}")
