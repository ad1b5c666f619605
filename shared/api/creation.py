"""Answers to a POST that makes something: ``Location``, and the same answer again to the same ``Idempotency-Key``.

Source: RFC 9110 §10.2.2; draft-ietf-httpapi-idempotency-key-header.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, request, url_for

from shared.api.problems import Problem
from shared.idempotency import Answer, Call, KeptAnswers

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Cache-Control")
_EXTENSION = "portus-creation"


NameCaller = Callable[[], str | None]
"""Names who sends the present request, as no other caller is named; ``None``: nobody to whom a key could belong."""


@dataclass(frozen=True, slots=True)
class _Creation:
    answers: KeptAnswers
    name_caller: NameCaller


def register_creation(app: Flask, answers: KeptAnswers, name_caller: NameCaller) -> None:
    """Give an application what ``ApiBlueprint.creates`` needs."""
    app.extensions[_EXTENSION] = _Creation(answers, name_caller)


def answer_once(make: Callable[[], Response]) -> Response:
    """Make something, or repeat the answer that was given when it was made.

    Args:
        make: the view, which may refuse by an exception.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return make()
    if not _KEY.fullmatch(key):
        detail = f"{KEY_HEADER} must be 1 to 255 visible ASCII characters, without spaces."
        raise Problem(HTTPStatus.BAD_REQUEST, detail)
    creation = cast(_Creation, current_app.extensions[_EXTENSION])
    caller = creation.name_caller()
    if caller is None:
        return make()
    content = request.query_string + b"\n" + request.get_data(cache=True)
    call = Call(caller, f"{request.method} {request.path}", key, content)
    answer, replayed = creation.answers.answer_once(call, lambda: _dump(make()))
    response = Response(answer.body, answer.status, answer.headers)
    if replayed:
        response.headers[REPLAYED_HEADER] = "true"
    return response


def locate(response: Response, endpoint: str, names: Mapping[str, str]) -> Response:
    """Say where that which was made is found.

    Args:
        endpoint: of the view that shows it; a leading dot means the same blueprint.
        names: the parameters of that view's address, and the answer's fields that hold them; what
            else the address needs is in the present one.
    """
    shown = response.get_json()
    own = {parameter: shown[field] for parameter, field in names.items()}
    found = f"{request.blueprint}{endpoint}" if endpoint.startswith(".") else endpoint
    needed = next(current_app.url_map.iter_rules(found)).arguments
    present = {name: value for name, value in (request.view_args or {}).items() if name in needed}
    # A path without a host is right behind any front.
    response.headers["Location"] = url_for(found, **{**present, **own})
    return response


def _dump(response: Response) -> Answer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, headers, response.get_data(as_text=True))
