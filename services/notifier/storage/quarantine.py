"""Rows of ``quarantined_events``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from services.notifier.storage.tables import quarantined_events
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part

QUARANTINE = Listing(
    {
        "id": Listed(quarantined_events.c.id),
        "event_id": Listed(quarantined_events.c.event_id, sortable=False),
        "received_at": Listed(quarantined_events.c.received_at, sortable=False),
    },
    search=[quarantined_events.c.reason],
)
"""What the list of quarantined events is sorted and narrowed by."""

Filters = Mapping[str, Any]
"""Values by query parameter, as ``QUARANTINE`` declares them."""


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """An event that could not be understood."""

    event_id: str
    """Of the message that brought it."""
    received_at: datetime
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A quarantined event as a list shows it."""

    id: int
    event_id: str
    received_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class WholeQuarantinedEvent(QuarantinedRow):
    """A quarantined event as it was received."""

    raw: str


def insert_quarantined(connection: Connection, events: Sequence[QuarantinedEvent]) -> None:
    """Add events."""
    if events:
        connection.execute(insert(quarantined_events), [asdict(event) for event in events])


def trim_quarantined(connection: Connection, *, keep: int) -> int:
    """Delete the oldest events beyond ``keep`` and return how many."""
    ids = select(quarantined_events.c.id).order_by(quarantined_events.c.id.desc())
    newest_to_go = connection.scalar(ids.offset(keep).limit(1))
    if newest_to_go is None:
        return 0
    return connection.execute(delete(quarantined_events).where(quarantined_events.c.id <= newest_to_go)).rowcount


def count_quarantined(connection: Connection, filters: Filters) -> int:
    """Return how many events some filters are about."""
    query = select(func.count()).select_from(quarantined_events).where(*QUARANTINE.conditions(filters))
    return connection.execute(query).scalar_one()


def list_quarantined(connection: Connection, asked: ListRequest) -> Page[QuarantinedRow] | Slice[QuarantinedRow]:
    """Return a part of the events."""
    query = select(*_columns()[:4])
    return fetch_part(connection, query, QUARANTINE, asked, load=lambda row: QuarantinedRow(*tuple(row)))


def take_quarantined(connection: Connection, filters: Filters, *, limit: int) -> Sequence[WholeQuarantinedEvent]:
    """Return the oldest events that some filters are about, whole."""
    query = select(*_columns()).where(*QUARANTINE.conditions(filters)).order_by(quarantined_events.c.id).limit(limit)
    return [WholeQuarantinedEvent(*row) for row in connection.execute(query)]


def find_quarantined(connection: Connection, event: int) -> WholeQuarantinedEvent | None:
    """Return one event whole."""
    row = connection.execute(select(*_columns()).where(quarantined_events.c.id == event)).one_or_none()
    return WholeQuarantinedEvent(*row) if row else None


def delete_quarantined(connection: Connection, ids: Collection[int]) -> int:
    """Delete events by their ids and return how many were there."""
    return connection.execute(delete(quarantined_events).where(quarantined_events.c.id.in_(ids))).rowcount


def drop_quarantined(connection: Connection, filters: Filters) -> int:
    """Delete the events that some filters are about and return how many."""
    return connection.execute(delete(quarantined_events).where(*QUARANTINE.conditions(filters))).rowcount


def _columns() -> list[ColumnElement[Any]]:
    return [quarantined_events.c[name] for name in ("id", "event_id", "received_at", "reason", "raw")]
