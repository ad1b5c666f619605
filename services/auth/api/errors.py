"""The error table of the management API."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.auth.domain.errors import (
    BadCredentials,
    Forbidden,
    Invalid,
    NotFound,
    Overloaded,
    SetupClosed,
    SetupDone,
    TooManyAttempts,
)
from shared.api.problems import Problem, problem_response

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""How SQLAlchemy says that the database does not answer."""

AWAY_TEXT = "The database does not answer. Try again in a few seconds."
AWAY_RETRY_AFTER_S = 5

ERRORS: Mapping[type[Exception], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    SetupClosed: HTTPStatus.METHOD_NOT_ALLOWED,
    SetupDone: HTTPStatus.BAD_REQUEST,
}

log = structlog.get_logger(__name__)


def register_errors(app: Flask) -> None:
    """Add what needs a header besides its status to the table of the application."""
    app.register_error_handler(BadCredentials, _unauthorized)
    app.register_error_handler(TooManyAttempts, _too_many)
    app.register_error_handler(Overloaded, lambda fault: _later(str(fault), 1))
    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, _database_away)


def note_database_away(fault: Exception) -> None:
    """Log an outage in one line: a traceback per request would say no more."""
    log.error("database.away", fault=type(fault).__name__, path=request.path)


def _unauthorized(fault: BadCredentials) -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="portus", Basic realm="portus"'}
    return problem_response(Problem(HTTPStatus.UNAUTHORIZED, str(fault), headers=headers))


def _too_many(fault: TooManyAttempts) -> Response:
    headers = {"Retry-After": str(fault.retry_after_s)}
    return problem_response(Problem(HTTPStatus.TOO_MANY_REQUESTS, str(fault), headers=headers))


def _database_away(fault: Exception) -> Response:
    note_database_away(fault)
    return _later(AWAY_TEXT, AWAY_RETRY_AFTER_S)


def _later(text: str, retry_after_s: int) -> Response:
    headers = {"Retry-After": str(retry_after_s)}
    return problem_response(Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, headers=headers))
