"""Errors as ``application/problem+json``, in one place for all services.

Source: RFC 9457. The extra ``message`` member keeps clients of the old Portus API working.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException

CONTENT_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)


class Problem(Exception):
    """An error on its way to the caller.

    Args:
        status: HTTP status code.
        detail: one sentence for a person: what happened and what to do.
        errors: faults by field, for 422.
        headers: extra response headers (``Retry-After``, ``WWW-Authenticate``).
    """

    def __init__(
        self,
        status: HTTPStatus | int,
        detail: str,
        *,
        errors: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def problem_response(problem: Problem) -> Response:
    """Dump a problem as RFC 9457 §3 says."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        "message": problem.errors or problem.detail,
        "request_id": g.get("request_id"),
    }
    if problem.errors:
        body["errors"] = problem.errors
    response = Response(json.dumps(body), status=problem.status.value, content_type=CONTENT_TYPE)
    response.headers.update(problem.headers)
    return response


def register_problems(app: Flask, mapping: Mapping[type[Exception], HTTPStatus]) -> None:
    """Let every error leave an API as a problem.

    Args:
        app: the service.
        mapping: the service's error table: exception class → status. The exception's text becomes
            the detail, so it must be fit for the caller's eyes; its ``errors`` and ``headers``, where it
            has them, go with it.
    """
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _unexpected)
    for error, status in mapping.items():
        app.register_error_handler(error, _mapped(status))


def _mapped(status: HTTPStatus) -> Any:
    def handle(error: Exception) -> Response:
        extra = getattr(error, "headers", None)
        return problem_response(Problem(status, str(error), errors=getattr(error, "errors", None), headers=extra))

    return handle


def http_problem(error: HTTPException) -> Response:
    """Dump a werkzeug error, with the headers that belong to it (``Allow`` on 405)."""
    status = HTTPStatus(error.code or 500)
    errors, detail = _faults(error)
    extra = {name: value for name, value in error.get_headers() if name.lower() not in ("content-type",)}
    return problem_response(Problem(status, detail or error.description or status.phrase, errors=errors, headers=extra))


def _faults(error: HTTPException) -> tuple[Mapping[str, Any] | None, str]:
    """Return marshmallow's faults by field, put here by webargs, and one sentence."""
    messages = (getattr(error, "data", None) or {}).get("messages") or {}
    # By the part of the request that was read, of which there is one at a time.
    for faults in messages.values():
        if isinstance(faults, Mapping):
            return faults, "The request is not valid."
        return None, " ".join(faults)
    return None, ""


def _http_exception(error: HTTPException) -> Response:
    return http_problem(error)


def _unexpected(error: Exception) -> Response:
    log.error("request.failed", path=request.path, method=request.method, exc_info=error)
    detail = "Something went wrong here, not with your request. Give the request id to whoever runs Portus."
    return problem_response(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
