"""The error table of the management API."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response

from services.auth.domain.errors import (
    BadCredentials,
    CatalogAway,
    Forbidden,
    Invalid,
    NotEmptied,
    NotFound,
    Overloaded,
    SetupClosed,
    SetupDone,
    SigningUnavailable,
    StillEmptying,
    TooManyAttempts,
    TooManyEntries,
)
from shared.api.problems import Problem, problem_response

ERRORS: Mapping[type[Exception], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotEmptied: HTTPStatus.UNPROCESSABLE_ENTITY,
    SetupDone: HTTPStatus.BAD_REQUEST,
    TooManyEntries: HTTPStatus.BAD_REQUEST,
    SigningUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def register_errors(app: Flask) -> None:
    """Add what needs a header besides its status to the table of the application."""
    app.register_error_handler(BadCredentials, _unauthorized)
    app.register_error_handler(SetupClosed, _closed)
    app.register_error_handler(TooManyAttempts, _too_many)
    app.register_error_handler(Overloaded, _overloaded)
    app.register_error_handler(CatalogAway, _later)
    app.register_error_handler(StillEmptying, _later)


def _unauthorized(fault: BadCredentials) -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="portus", Basic realm="portus"'}
    return problem_response(Problem(HTTPStatus.UNAUTHORIZED, str(fault), headers=headers))


def _closed(fault: SetupClosed) -> Response:
    # RFC 9110 §15.5.6 wants to be told what is allowed: nothing but to ask.
    return problem_response(Problem(HTTPStatus.METHOD_NOT_ALLOWED, str(fault), headers={"Allow": "OPTIONS"}))


def _too_many(fault: TooManyAttempts) -> Response:
    headers = {"Retry-After": str(fault.retry_after_s)}
    return problem_response(Problem(HTTPStatus.TOO_MANY_REQUESTS, str(fault), headers=headers))


def _overloaded(fault: Overloaded) -> Response:
    return problem_response(Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(fault), headers={"Retry-After": "1"}))


def _later(fault: CatalogAway | StillEmptying) -> Response:
    headers = {"Retry-After": str(fault.retry_after_s)}
    return problem_response(Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(fault), headers=headers))
