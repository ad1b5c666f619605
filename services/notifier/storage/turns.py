"""Whose turn it is: webhooks take turns, and only one thread of all workers sends to a webhook at a time.

The one that was served longest ago comes first, so that nobody waits for those with much to be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, update

from services.notifier.storage.deliveries import Outcome
from services.notifier.storage.tables import webhook_deliveries as deliveries
from services.notifier.storage.tables import webhooks
from services.notifier.storage.webhooks import StoredHeader, StoredWebhook, find_webhook, list_headers


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be sent now, and where to."""

    id: int
    uuid: str
    request_body: str
    attempts: int
    on_demand: bool
    next_try_at: datetime
    webhook: StoredWebhook
    headers: Sequence[StoredHeader]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one attempt."""

    outcome: Outcome
    attempts: int
    fault: str | None = None
    status: int | None = None
    next_try_at: datetime | None = None
    request_headers: Sequence[Sequence[str]] | None = None
    response_headers: Sequence[Sequence[str]] | None = None
    response_body: str | None = None


_ATTEMPTED = ("attempts", "status", "request_headers", "response_headers", "response_body")


def is_anyone_waiting(connection: Connection, *, sound: bool, now: datetime) -> bool:
    """Tell whether a webhook could have a turn."""
    return connection.execute(_waiting(sound=sound, now=now).limit(1)).first() is not None


def give_turns(
    connection: Connection, *, sound: bool, limit: int, lease: str, now: datetime, until: datetime
) -> Sequence[int]:
    """Give webhooks that have something due their turns, and return which.

    Args:
        sound: whether those whose last answer was good, or the others.
        lease: a name for these turns that no other has.
        until: when somebody else may have them.
    """
    query = _waiting(sound=sound, now=now).limit(limit).with_for_update(skip_locked=True, key_share=True)
    ids = [row.id for row in connection.execute(query)]
    if ids:
        connection.execute(update(webhooks).where(webhooks.c.id.in_(ids)).values(lease=lease, leased_until=until))
    return ids


def find_due(connection: Connection, webhook: int, *, now: datetime) -> Due | None:
    """Return what a webhook is to be told next: what somebody asked for, else what has waited longest."""
    columns: list[ColumnElement[Any]] = [
        deliveries.c[name] for name in ("id", "uuid", "request_body", "attempts", "on_demand", "next_try_at")
    ]
    due = select(*columns).where(deliveries.c.webhook_id == webhook, deliveries.c.next_try_at <= now)
    # Asked twice, each by an index of its own: sorted by both, all that waits would be read for every delivery.
    first = due.order_by(deliveries.c.next_try_at).limit(1)
    row = connection.execute(first.where(deliveries.c.on_demand)).one_or_none()
    row = row or connection.execute(first).one_or_none()
    found = find_webhook(connection, webhook) if row else None
    if row is None or found is None:
        return None
    return Due(**row._mapping, webhook=found, headers=list_headers(connection, webhook))


def settle(connection: Connection, due: Due, settled: Settled, *, lease: str, now: datetime, until: datetime) -> bool:
    """Note what became of an attempt and prolong the turn; ``False``: it was somebody else's by now."""
    mine = update(webhooks).where(webhooks.c.id == due.webhook.id, webhooks.c.lease == lease)
    if not connection.execute(mine.values(leased_until=until)).rowcount:
        return False
    values: dict[str, Any] = {"fault": settled.fault}
    if settled.attempts > due.attempts:
        # What a former attempt has left stays where nothing was sent this time.
        values |= {name: getattr(settled, name) for name in _ATTEMPTED} | {"attempted_at": now}
    this = update(deliveries).where(deliveries.c.id == due.id)
    connection.execute(this.values(values))
    # Whoever asked for it while it was being sent asked for another time.
    as_it_was = (deliveries.c.next_try_at == due.next_try_at, deliveries.c.on_demand == due.on_demand)
    over = {"outcome": settled.outcome.value, "on_demand": False, "next_try_at": settled.next_try_at}
    connection.execute(this.where(*as_it_was).values(over))
    return True


def end_turn(connection: Connection, webhook: int, *, lease: str, sound: bool, now: datetime) -> None:
    """Let others have their turn."""
    mine = update(webhooks).where(webhooks.c.id == webhook, webhooks.c.lease == lease)
    connection.execute(mine.values(lease=None, leased_until=None, served_at=now, sound=sound))


def _waiting(*, sound: bool, now: datetime) -> Select[Any]:
    due = select(deliveries.c.id).where(deliveries.c.webhook_id == webhooks.c.id, deliveries.c.next_try_at <= now)
    free = webhooks.c.leased_until.is_(None) | (webhooks.c.leased_until <= now)
    is_there = webhooks.c.deleted_at.is_(None)
    query = select(webhooks.c.id).where(is_there, free, webhooks.c.sound.is_(sound), due.exists())
    return query.order_by(webhooks.c.served_at.asc().nulls_first(), webhooks.c.id)
