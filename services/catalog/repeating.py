"""Work that is done again and again, for as long as the process lives."""

from collections.abc import Callable
from threading import Event

import structlog

from shared.database import DATABASE_AWAY

DATABASE_PAUSE_S = 2.0

log = structlog.get_logger(__name__)


def repeat(work: Callable[[], float | None], stop: Event) -> None:
    """Do something again and again; it returns the pause until the next time, or ``None`` when it is done."""
    pause_s: float | None = 0
    while pause_s is not None and not stop.wait(pause_s):
        try:
            pause_s = work()
        except DATABASE_AWAY as fault:
            # A database that restarts is back soon; our own restart would not bring it back sooner.
            log.warning("worker.database_away", fault=type(fault).__name__)
            pause_s = DATABASE_PAUSE_S
