"""The event log, written: rows with a number, appended in order, purged from the front."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.notifier.storage.tables import event_log_end, events, repositories
from shared.oci.names import RepositoryName, split_namespace

_ROWS_PER_STATEMENT = 500
"""Well below what either database takes in one statement."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event on its way into the log."""

    source: str
    id: str
    """Unique together with ``source``."""
    type: str
    time: datetime
    """When it happened."""
    subject: str | None
    repository: RepositoryName | None
    """``None``: it is not about a repository, and for administrators and auditors only."""
    namespace: str | None
    """For narrowing a list; who may see an event depends on its repository alone."""
    data: dict[str, Any]


def hold_log(connection: Connection) -> int:
    """Let nobody else append until the caller's transaction has ended, and return the newest number.

    Whoever appends and changes something that appending changes, too, does this first: two that take the same
    locks in another order wait for each other.
    """
    # On SQLite the transaction is the only one that writes anyway.
    end: int = connection.execute(select(event_log_end.c.sequence).with_for_update()).scalar_one()
    return end


@dataclass(frozen=True, slots=True)
class Appended:
    """An event that is in the log from now on."""

    sequence: int
    entry: LogEntry


def append_events(connection: Connection, entries: Sequence[LogEntry], *, now: datetime) -> Sequence[Appended]:
    """Append the events that are not in the log yet, each once, and return those, in order.

    Nobody else appends until the caller's transaction has ended. So a reader who has seen a number has
    seen, or could have seen, all that are smaller. A number is left out where an event was known already.
    """
    end = hold_log(connection)
    ids = _repository_ids(connection, {entry.repository for entry in entries if entry.repository})
    rows = [_row(entry, ids, end + number, now) for number, entry in enumerate(entries, start=1)]
    given = sorted(sequence for chunk in _chunks(rows) for sequence in _insert_new(connection, chunk))
    if given:
        connection.execute(update(event_log_end).values(sequence=given[-1]))
    return [Appended(sequence, entries[sequence - end - 1]) for sequence in given]


def find_recent(
    connection: Connection, type: str, namespace: str, *, since: datetime, within: int
) -> Sequence[dict[str, Any]]:
    """Return the data of the events of one type about one namespace among the newest in the log.

    Args:
        since: of those that happened then or later.
        within: so many numbers are looked at.
    """
    end = select(event_log_end.c.sequence).scalar_subquery()
    columns = (events.c[name] for name in ("type", "namespace", "time", "data"))
    newest = select(*columns).where(events.c.sequence > end - within).subquery()
    meant = (newest.c.type == type, newest.c.namespace == namespace, newest.c.time >= since)
    query = select(newest.c.data).where(*meant)
    return connection.scalars(query).all()


def purge_events(connection: Connection, *, before: datetime, keep: int, limit: int) -> int:
    """Delete the oldest events, at most ``limit`` of them, and return how many.

    Args:
        before: those recorded before this moment go.
        keep: so many of the newest stay at the most, however young the others are.
    """
    end = connection.execute(select(event_log_end.c.sequence)).scalar_one()
    # The front of the log is its oldest part by number and, as near as matters, by time.
    front = select(events.c.sequence, events.c.recorded_at).order_by(events.c.sequence).limit(limit).subquery()
    is_due = (front.c.recorded_at < before) | (front.c.sequence <= end - keep)
    last = connection.scalar(select(func.max(front.c.sequence)).where(is_due))
    if last is None:
        return 0
    return connection.execute(delete(events).where(events.c.sequence <= last)).rowcount


def _insert_new(connection: Connection, rows: list[dict[str, Any]]) -> Sequence[int]:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(events).values(rows).on_conflict_do_nothing(index_elements=["source", "id"])
    return connection.scalars(statement.returning(events.c.sequence)).all()


def _repository_ids(connection: Connection, names: Collection[RepositoryName]) -> dict[str, int]:
    found = _find_repositories(connection, names)
    missing = sorted(set(names) - found.keys())
    if not missing:
        return found
    rows = [{"full_name": name, "namespace": split_namespace(name).namespace} for name in missing]
    connection.execute(insert(repositories), rows)
    return found | _find_repositories(connection, missing)


def _find_repositories(connection: Connection, names: Collection[RepositoryName]) -> dict[str, int]:
    query = select(repositories.c.full_name, repositories.c.id).where(repositories.c.full_name.in_(names))
    return {row.full_name: row.id for row in connection.execute(query)}


def _row(entry: LogEntry, ids: dict[str, int], sequence: int, now: datetime) -> dict[str, Any]:
    fields = asdict(entry)
    repository = fields.pop("repository")
    return {
        **fields,
        "sequence": sequence,
        "recorded_at": now,
        "repository_id": ids[repository] if repository else None,
    }


def _chunks(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        yield rows[start : start + _ROWS_PER_STATEMENT]
