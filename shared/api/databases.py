"""What an API answers while its database is away: 503, with one line in the log."""

from http import HTTPStatus

import structlog
from flask import Flask, Response, request

from shared.api.problems import Problem, problem_response
from shared.database import DATABASE_AWAY

AWAY_TEXT = "The database does not answer. Try again in a few seconds."
AWAY_RETRY_AFTER_S = 5

log = structlog.get_logger(__name__)


def register_database_away(app: Flask) -> None:
    """Let a database that does not answer leave an API as a problem that passes."""
    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, _database_away)


def note_database_away(fault: Exception) -> None:
    """Log an outage in one line: a traceback per request would say no more."""
    log.error("database.away", fault=type(fault).__name__, path=request.path)


def _database_away(fault: Exception) -> Response:
    note_database_away(fault)
    headers = {"Retry-After": str(AWAY_RETRY_AFTER_S)}
    return problem_response(Problem(HTTPStatus.SERVICE_UNAVAILABLE, AWAY_TEXT, headers=headers))
