"""Rows of ``dead_letters``: kept, listed, on their way back, dropped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Update, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from services.notifier.storage.tables import dead_letters as table
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part

DEAD_LETTERS = Listing(
    {
        "id": Listed(table.c.id),
        "queue": Listed(table.c.queue, sortable=False),
        "message_id": Listed(table.c.message_id, sortable=False),
        "type": Listed(table.c.type, prefix=True, sortable=False),
        "subject": Listed(table.c.subject, sortable=False),
        "died_at": Listed(table.c.died_at, sortable=False),
        "deaths": Listed(table.c.deaths, sortable=False),
    },
    search=[table.c.reason],
)
"""What the list of dead letters is sorted and narrowed by."""

Filters = Mapping[str, Any]
"""Values by query parameter, as ``DEAD_LETTERS`` declares them."""

EVERY: Filters = {}


@dataclass(frozen=True, slots=True)
class NewDeadLetter:
    """A message that could not be applied."""

    queue: str
    body: bytes
    reason: str
    message_id: str | None = None
    source: str | None = None
    type: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A dead letter as a list shows it."""

    id: int
    queue: str
    message_id: str | None
    source: str | None
    type: str | None
    subject: str | None
    reason: str
    died_at: datetime
    deaths: int
    replaying: bool


@dataclass(frozen=True, slots=True)
class WholeDeadLetter(DeadLetterRow):
    """A dead letter with its body."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Returning:
    """A letter on its way back to its queue."""

    id: int
    queue: str
    body: bytes
    deaths: int
    """How often it had died: another death since then must not be forgotten with this one."""


def keep_letters(connection: Connection, letters: Sequence[NewDeadLetter], *, now: datetime) -> None:
    """Add letters; one that is there already has died once more, and is not on its way back any more."""
    rows = {_fingerprint(letter): _row(letter, now) for letter in letters}
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    changes = {
        "reason": statement.excluded.reason,
        "died_at": statement.excluded.died_at,
        "deaths": table.c.deaths + 1,
        "replay_at": None,
    }
    # Always in the same order: two consumers with the same letters could otherwise wait for each other.
    ordered = [row for _, row in sorted(rows.items())]
    connection.execute(statement.on_conflict_do_update(index_elements=["queue", "fingerprint"], set_=changes), ordered)


def count_letters(connection: Connection, filters: Filters = EVERY) -> int:
    """Return how many letters some filters are about."""
    query = select(func.count()).select_from(table).where(*DEAD_LETTERS.conditions(filters))
    return connection.execute(query).scalar_one()


def count_by_queue(connection: Connection) -> dict[str, int]:
    """Return how many letters each queue has, where it has any."""
    rows = connection.execute(select(table.c.queue, func.count().label("letters")).group_by(table.c.queue))
    return {row.queue: row.letters for row in rows}


def list_letters(connection: Connection, asked: ListRequest) -> Page[DeadLetterRow] | Slice[DeadLetterRow]:
    """Return a part of the letters."""
    query = select(*_columns(DeadLetterRow))
    return fetch_part(connection, query, DEAD_LETTERS, asked, load=lambda row: DeadLetterRow(*tuple(row)))


def find_letter(connection: Connection, letter: int) -> WholeDeadLetter | None:
    """Return one letter whole."""
    row = connection.execute(select(*_columns(DeadLetterRow), table.c.body).where(table.c.id == letter)).one_or_none()
    return WholeDeadLetter(*row) if row else None


def request_replay(connection: Connection, filters: Filters, *, now: datetime) -> int:
    """Let letters be returned to their queues, and return how many that are."""
    return _change(connection, update(table).where(*DEAD_LETTERS.conditions(filters)).values(replay_at=now))


def drop_letters(connection: Connection, filters: Filters) -> int:
    """Delete letters and return how many."""
    return _change(connection, delete(table).where(*DEAD_LETTERS.conditions(filters)))


def list_returning(connection: Connection, *, now: datetime, limit: int) -> Sequence[Returning]:
    """Return letters that are to go back now."""
    columns = (table.c[name] for name in ("id", "queue", "body", "deaths"))
    query = select(*columns).where(table.c.replay_at <= now).order_by(table.c.replay_at, table.c.id).limit(limit)
    return [Returning(*row) for row in connection.execute(query)]


def forget_returned(connection: Connection, returned: Collection[Returning]) -> None:
    """Delete letters that their queues have again, but not one that has died there meanwhile."""
    keys = [(letter.id, letter.deaths) for letter in returned]
    if keys:
        connection.execute(delete(table).where(tuple_(table.c.id, table.c.deaths).in_(keys)))


def postpone_replay(connection: Connection, letters: Collection[Returning], *, until: datetime) -> None:
    """Let letters whose queue took none be tried again later, behind the others."""
    keys = [(letter.id, letter.deaths) for letter in letters]
    if keys:
        still = tuple_(table.c.id, table.c.deaths).in_(keys) & table.c.replay_at.is_not(None)
        connection.execute(update(table).where(still).values(replay_at=until))


def _columns(shown: type[DeadLetterRow]) -> list[ColumnElement[Any]]:
    replaying = table.c.replay_at.is_not(None).label("replaying")
    return [replaying if name == "replaying" else table.c[name] for name in shown.__slots__]


def _fingerprint(letter: NewDeadLetter) -> tuple[str, str]:
    return letter.queue, sha256(letter.body).hexdigest()


def _row(letter: NewDeadLetter, now: datetime) -> dict[str, Any]:
    _, fingerprint = _fingerprint(letter)
    return {**asdict(letter), "fingerprint": fingerprint, "died_at": now, "deaths": 1, "replay_at": None}


def _change(connection: Connection, statement: Update | Delete) -> int:
    return connection.execute(statement).rowcount
