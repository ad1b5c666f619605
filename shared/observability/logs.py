"""One JSON object per line on standard error; event names are constants, data are keys."""

import logging
import sys

import structlog
from environs import Env
from marshmallow.validate import OneOf
from structlog.typing import EventDict, Processor

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_OLD_WORDS = {"WARN": "WARNING", "FATAL": "ERROR"}


def load_log_level(env: Env) -> str:
    """Read ``PORTUS_LOG_LEVEL``: the least that is logged; in lower case too, and with the old Portus' words."""
    given = env.str("PORTUS_LOG_LEVEL", "INFO", validate=lambda level: OneOf(LEVELS)(_level(level)))
    return _level(given or "")


def _level(word: str) -> str:
    level = word.upper()
    return _OLD_WORDS.get(level, level)


def configure_logging(service: str, *, level: str = "INFO") -> None:
    """Set up structlog for a process.

    Args:
        service: name put on every line.
        level: a name of the standard library's levels.
    """
    logging.basicConfig(stream=sys.stderr, level=level, format="%(message)s")
    # It tells of every look at a schema's revision, which readiness takes again and again.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _naming(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _naming(service: str) -> Processor:
    # Not a context variable: those of the main thread do not reach the threads that answer requests.
    def add_name(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add_name
