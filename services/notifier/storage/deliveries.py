"""Rows of ``webhook_deliveries``: planned, listed, asked for again, purged."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.notifier.storage.tables import webhook_deliveries as table
from services.notifier.storage.tables import webhooks
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice

_ROWS_PER_STATEMENT = 500
"""Well below what either database takes in one statement."""


class Outcome(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    """It is still to be sent, for the first time or again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """It is not tried again unless somebody asks for it."""


DELIVERIES = Listing(
    {
        "id": Listed(table.c.id),
        "outcome": Listed(table.c.outcome, choices=Outcome, sortable=False),
        "event_type": Listed(table.c.event_type, sortable=False),
        "event_id": Listed(table.c.event_id, sortable=False),
        "created_at": Listed(table.c.created_at, sortable=False),
    },
    order=Order("id", descending=True),
)
"""What the list of deliveries is narrowed by; the newest comes first."""


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """An event that a webhook is to be told of."""

    uuid: str
    webhook_id: int
    event_source: str
    event_id: str
    event_type: str
    request_body: str
    """The event as JSON."""
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as a list shows it."""

    id: int
    uuid: str
    webhook_id: int
    event_source: str
    event_id: str
    event_type: str
    outcome: str
    status: int | None
    fault: str | None
    attempts: int
    next_try_at: datetime | None
    created_at: datetime
    attempted_at: datetime | None
    request_body: str
    """The event as JSON."""

    @property
    def repository(self) -> str | None:
        """What the event is about; ``None``: a test."""
        return self._said("repository")

    @property
    def tag(self) -> str | None:
        return self._said("tag")

    def _said(self, name: str) -> str | None:
        said: str | None = json.loads(self.request_body)["data"].get(name)
        return said


@dataclass(frozen=True, slots=True)
class WholeDelivery(DeliveryRow):
    """A delivery with what was sent and answered, as far as it was kept."""

    request_headers: Sequence[Sequence[str]] | None
    response_headers: Sequence[Sequence[str]] | None
    response_body: str | None


def plan(connection: Connection, deliveries: Sequence[PlannedDelivery], *, now: datetime) -> None:
    """Add deliveries; one of an event that a webhook is told of already is left out."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=["webhook_id", "event_source", "event_id"])
    fresh = {"outcome": Outcome.PENDING.value, "attempts": 0, "next_try_at": now, "created_at": now}
    rows = [{**asdict(delivery), **fresh} for delivery in deliveries]
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        connection.execute(statement, rows[start : start + _ROWS_PER_STATEMENT])


def list_deliveries(connection: Connection, webhook: int, asked: ListRequest) -> Slice[DeliveryRow]:
    """Return a part of a webhook's deliveries."""
    query = select(*_columns(DeliveryRow)).where(table.c.webhook_id == webhook)
    return fetch_slice(connection, query, DELIVERIES, asked, load=lambda row: DeliveryRow(*tuple(row)))


def find_delivery(connection: Connection, webhook: int, uuid: str) -> WholeDelivery | None:
    """Return a delivery of a webhook whole."""
    query = select(*_columns(WholeDelivery)).where(table.c.webhook_id == webhook, table.c.uuid == uuid)
    row = connection.execute(query).one_or_none()
    return WholeDelivery(*tuple(row)) if row else None


def ask_again(connection: Connection, webhook: int, uuid: str, *, now: datetime) -> None:
    """Let a delivery be sent once more, now; one that is still to be tried again goes on as it would have."""
    mine = (table.c.webhook_id == webhook) & (table.c.uuid == uuid)
    enabled = select(webhooks.c.enabled).where(webhooks.c.id == webhook).scalar_subquery()
    goes_on = (table.c.outcome == Outcome.PENDING.value) & ~table.c.on_demand & enabled
    again = {"outcome": Outcome.PENDING.value, "on_demand": ~goes_on, "next_try_at": now}
    connection.execute(update(table).where(mine).values(again))


def count_waiting(connection: Connection, *, now: datetime) -> tuple[int, int]:
    """Return how many deliveries are to be sent now, and how many later."""
    due = func.count().filter(table.c.next_try_at <= now)
    later = func.count().filter(table.c.next_try_at > now)
    gone = select(webhooks.c.id).where(webhooks.c.deleted_at.is_not(None))
    waits = (table.c.next_try_at.is_not(None), table.c.webhook_id.not_in(gone))
    found = connection.execute(select(due, later).where(*waits)).one()
    return int(found[0]), int(found[1])


def purge_deliveries(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete deliveries that were planned before a moment, at most ``limit`` of them, and return how many."""
    # What is still to be sent goes when that is over, which is bounded by the number of attempts.
    is_over = table.c.next_try_at.is_(None)
    old = select(table.c.id).where(table.c.created_at < before, is_over).order_by(table.c.created_at).limit(limit)
    return connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def purge_deleted_webhook(connection: Connection, *, limit: int) -> int:
    """Delete what a webhook was told that somebody has deleted, and then itself; return how many rows.

    Args:
        limit: so many deliveries at the most; call it until it returns none.
    """
    deleted = select(webhooks.c.id).where(webhooks.c.deleted_at.is_not(None)).order_by(webhooks.c.id).limit(1)
    webhook = connection.scalar(deleted)
    if webhook is None:
        return 0
    told = select(table.c.id).where(table.c.webhook_id == webhook)
    gone = connection.execute(delete(table).where(table.c.id.in_(told.limit(limit)))).rowcount
    # Not by their number: another worker may have deleted the same ones meanwhile.
    if connection.scalar(told.limit(1)) is None:
        gone += connection.execute(delete(webhooks).where(webhooks.c.id == webhook)).rowcount
    return gone


def _columns(shown: type[DeliveryRow]) -> list[ColumnElement[Any]]:
    # A dataclass with slots names only what its base does not.
    names = [*DeliveryRow.__slots__, *(shown.__slots__ if shown is not DeliveryRow else ())]
    return [table.c[name] for name in names]
