"""One JSON object per line on standard error; event names are constants, data are keys."""

import logging
import sys

import structlog


def configure_logging(service: str, *, level: str = "INFO") -> None:
    """Set up structlog for a process.

    Args:
        service: name put on every line.
        level: a name of the standard library's levels.
    """
    logging.basicConfig(stream=sys.stderr, level=level, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
