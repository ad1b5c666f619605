"""The parts of the table of decision records: on PostgreSQL one for each day (UTC), dropped as a whole.

What belongs to a day that has no part yet lies in the default part, so that nothing is ever refused;
it moves when its day's part is made. SQLite has one table, from which old rows are deleted.

Source: PostgreSQL, "Table Partitioning".
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, delete, select, text

from services.auth.storage.tables import decisions

DEFAULT_PART = "decisions_default"
LOCK_TIMEOUT_S = 5
"""Whoever makes or drops a part waits no longer for those who read, and lets others wait no longer."""
DELETED_AT_ONCE = 10_000
"""Rows of one transaction, on SQLite."""

_PART = re.compile(r"decisions_(\d{8})")


def list_parts(connection: Connection) -> set[date]:
    """Return the days that have a part (PostgreSQL)."""
    statement = (
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'decisions'::regclass"
    )
    names = connection.execute(text(statement)).scalars()
    found = (_PART.fullmatch(name) for name in names)
    return {datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).date() for match in found if match}


def list_strays(connection: Connection, *, limit: int) -> set[date]:
    """Return days whose records lie in the default part (PostgreSQL)."""
    statement = f"SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {DEFAULT_PART} LIMIT :limit"  # noqa: S608
    return set(connection.execute(text(statement), {"limit": limit}).scalars())


def make_parts(connection: Connection, days: Collection[date]) -> None:
    """Make the parts of days that have none, and move into them what lies in the default part (PostgreSQL).

    Raises:
        OperationalError: somebody has been reading for too long.
    """
    _limit_waiting(connection)
    # Nobody else makes parts meanwhile; those who write and read the other parts go on.
    connection.execute(text("LOCK TABLE decisions IN SHARE UPDATE EXCLUSIVE MODE"))
    for day in sorted(set(days) - list_parts(connection)):
        _make_part(connection, day)


def drop_part(connection: Connection, day: date) -> None:
    """Drop the part of a day, if it is there (PostgreSQL).

    Raises:
        OperationalError: somebody has been reading for too long.
    """
    _limit_waiting(connection)
    connection.execute(text(f"DROP TABLE IF EXISTS {_name(day)}"))


def delete_strays(connection: Connection, *, before: datetime) -> int:
    """Delete old records of the default part (PostgreSQL); return how many there were."""
    statement = f"DELETE FROM {DEFAULT_PART} WHERE at < :before"  # noqa: S608
    return connection.execute(text(statement), {"before": before}).rowcount


def delete_rows(connection: Connection, *, before: datetime, limit: int = DELETED_AT_ONCE) -> int:
    """Delete the oldest records of before a time; return how many there were."""
    oldest = select(decisions.c.at).where(decisions.c.at < before).order_by(decisions.c.at).offset(limit).limit(1)
    end = connection.execute(oldest).scalar_one_or_none()
    old = decisions.c.at < before if end is None else decisions.c.at <= end
    return connection.execute(delete(decisions).where(old)).rowcount


def _make_part(connection: Connection, day: date) -> None:
    begin, end = (datetime.combine(each, time(), UTC).isoformat() for each in (day, day + timedelta(days=1)))
    here = f"at >= '{begin}' AND at < '{end}'"
    connection.execute(text(f"LOCK TABLE {DEFAULT_PART} IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text(f"CREATE TABLE {_name(day)} (LIKE decisions INCLUDING ALL)"))
    moved = f"DELETE FROM {DEFAULT_PART} WHERE {here} RETURNING *"  # noqa: S608
    connection.execute(text(f"WITH moved AS ({moved}) INSERT INTO {_name(day)} SELECT * FROM moved"))  # noqa: S608
    attach = f"ALTER TABLE decisions ATTACH PARTITION {_name(day)} FOR VALUES FROM ('{begin}') TO ('{end}')"
    connection.execute(text(attach))


def _name(day: date) -> str:
    return f"decisions_{day:%Y%m%d}"


def _limit_waiting(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
