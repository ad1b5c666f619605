"""Keep the records of decisions for as long as they are wanted, and make room for those to come."""

from datetime import UTC, date, datetime, time, timedelta

import structlog

from services.auth.storage.decision_parts import (
    DELETED_AT_ONCE,
    delete_rows,
    delete_strays,
    drop_part,
    list_parts,
    list_strays,
    make_parts,
)
from shared.clock import Clock
from shared.database import Database

DAYS_AHEAD = 3
"""Parts that are made before their day, so that a weekend without a worker does no harm."""
MAX_STRAYS = 31
"""Most days whose records are moved out of the default part in one round."""
MAX_DELETIONS = 20
"""Most deletions of one round, on SQLite."""

log = structlog.get_logger(__name__)


def keep_decisions(*, keep_days: int, database: Database, clock: Clock) -> None:
    """Drop the records of days that ended more than ``keep_days`` days ago; make the parts of the days to come."""
    today = clock().astimezone(UTC).date()
    oldest = today - timedelta(days=keep_days)
    if database.is_sqlite:
        _delete_old(database, datetime.combine(oldest, time(), UTC))
        return
    _drop_old(database, oldest)
    _make_missing(database, today)


def _delete_old(database: Database, before: datetime) -> None:
    for _ in range(MAX_DELETIONS):
        # Each batch is a transaction of its own: others write in between.
        with database.write() as connection:
            deleted = delete_rows(connection, before=before)
        if deleted < DELETED_AT_ONCE:
            return


def _drop_old(database: Database, oldest: date) -> None:
    with database.read() as connection:
        old = sorted(day for day in list_parts(connection) if day < oldest)
    for day in old:
        with database.write() as connection:
            drop_part(connection, day)
        log.info("decisions.dropped", day=day.isoformat())
    with database.write() as connection:
        delete_strays(connection, before=datetime.combine(oldest, time(), UTC))


def _make_missing(database: Database, today: date) -> None:
    wanted = {today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)}
    with database.read() as connection:
        missing = (wanted | list_strays(connection, limit=MAX_STRAYS)) - list_parts(connection)
    if missing:
        with database.write() as connection:
            make_parts(connection, missing)
