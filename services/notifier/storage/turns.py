"""Whose turn it is: webhooks take turns, and only one thread of all workers sends to a webhook at a time.

Turns are their hosts': the host that was served longest ago comes first, and of its webhooks the one that was, so
that nobody waits for those with much to be told, nor for a host to which many webhooks lead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, and_, case, false, func, literal, select, update

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


@dataclass(frozen=True, slots=True)
class Lane:
    """Which webhooks may have a turn.

    Args:
        sound: those whose last answer was good and whose host was quick the last time, or the others.
        taken: by host: how many turns it has at the moment, of those that count.
        per_host: so many a host may have at the same time.
    """

    sound: bool
    taken: Mapping[str, int]
    per_host: int


def is_anyone_waiting(connection: Connection, lane: Lane, *, now: datetime) -> bool:
    """Tell whether a webhook could have a turn."""
    return connection.execute(_waiting(lane, now=now).limit(1)).first() is not None


def give_turns(
    connection: Connection, lane: Lane, *, limit: int, lease: str, now: datetime, until: datetime
) -> Sequence[tuple[int, str]]:
    """Give webhooks that have something due their turns, and return which, with their hosts.

    Args:
        lease: a name for these turns that no other has.
        until: when somebody else may have them.
    """
    query = _waiting(lane, now=now).limit(limit).with_for_update(of=webhooks, skip_locked=True, key_share=True)
    given = [(row.id, row.host) for row in connection.execute(query)]
    if given:
        ids = [webhook for webhook, _host in given]
        connection.execute(update(webhooks).where(webhooks.c.id.in_(ids)).values(lease=lease, leased_until=until))
    return given


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


def end_turn(
    connection: Connection, webhook: int, *, lease: str, sound: bool | None, slow: bool | None, now: datetime
) -> None:
    """Let others have their turn.

    Args:
        sound, slow: how the last answer was; ``None``: nothing was sent, and they stay as they are.
    """
    mine = update(webhooks).where(webhooks.c.id == webhook, webhooks.c.lease == lease)
    learnt = {} if sound is None else {"sound": sound, "slow": slow}
    connection.execute(mine.values(lease=None, leased_until=None, served_at=now, **learnt))


def _waiting(lane: Lane, *, now: datetime) -> Select[Any]:
    """Select the webhooks that may have a turn, in order: each host's first, then each host's second, and so on."""
    due = select(deliveries.c.id).where(deliveries.c.webhook_id == webhooks.c.id, deliveries.c.next_try_at <= now)
    free = webhooks.c.leased_until.is_(None) | (webhooks.c.leased_until <= now)
    may = (webhooks.c.deleted_at.is_(None), free, _is_sound() == lane.sound)
    first = (webhooks.c.served_at.asc().nulls_first(), webhooks.c.id)
    taken: ColumnElement[int] = case(lane.taken, value=webhooks.c.host, else_=0) if lane.taken else literal(0)
    place = func.row_number().over(partition_by=webhooks.c.host, order_by=first) + taken
    ranked = select(webhooks.c.id, place.label("place")).where(*may, due.exists()).subquery()
    query = select(webhooks.c.id, func.coalesce(webhooks.c.host, "").label("host"))
    # What is asked within is not asked again for a row that had to be waited for: whether it is free, is here.
    query = query.join(ranked, ranked.c.id == webhooks.c.id).where(free, ranked.c.place <= lane.per_host)
    return query.order_by(ranked.c.place, _of_host("served_at").asc().nulls_first(), *first)


def _is_sound() -> ColumnElement[bool]:
    return and_(webhooks.c.sound, func.coalesce(_of_host("slow"), false()).is_(False))


def _of_host(column: str) -> ScalarSelect[Any]:
    """Select a column of the webhook that was served last of those that lead to the same host."""
    last = webhooks.alias()
    query = select(last.c[column]).where(last.c.host == webhooks.c.host, last.c.served_at.is_not(None))
    return query.order_by(last.c.served_at.desc()).limit(1).correlate(webhooks).scalar_subquery()
