"""Processes of registries: who has told us how much, and who was new."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, func, select, update

from services.catalog.domain.losses import SUSPECTED_FOR, Instance, Sighting
from services.catalog.storage.loss_tables import delivery_account
from services.catalog.storage.loss_tables import registry_instances as table
from services.catalog.storage.statements import new_insert


def note_sightings(connection: Connection, sightings: Collection[Sighting]) -> Sequence[Sighting]:
    """Count what processes have told, and return those that nobody had heard of.

    New rows come before locks on old ones, and both in order, so that two batches never wait for each other.
    """
    ordered = sorted(sightings, key=lambda one: one.instance)
    new = {one.instance for one in ordered if _insert(connection, one)}
    for one in ordered:
        if one.instance not in new:
            _add(connection, one)
    return [one for one in ordered if one.instance in new]


def list_suspects(connection: Connection, *, now: datetime, besides: Collection[str]) -> Sequence[Instance]:
    """Return the processes that may still live, locked to the transaction's end."""
    living = table.c.superseded_at.is_(None) | (table.c.superseded_at > now - SUSPECTED_FOR)
    columns = (table.c[name] for name in ("id", "registry", "last_event_at", "superseded_at"))
    query = select(*columns).where(living, table.c.id.not_in(besides)).order_by(table.c.id).with_for_update()
    return [Instance(*row) for row in connection.execute(query)]


def supersede(connection: Connection, instances: Collection[Instance], *, now: datetime) -> None:
    """Note that another process was heard after these; one that speaks again is not superseded any more."""
    ids = [one.id for one in instances if one.superseded_at is None]
    if ids:
        connection.execute(update(table).where(table.c.id.in_(ids)).values(superseded_at=now))


def count_arrived(connection: Connection) -> int:
    """Return how many events have arrived in all, as far back as we count."""
    living = connection.scalar(select(func.coalesce(func.sum(table.c.events), 0)))
    forgotten = connection.scalar(select(delivery_account.c.forgotten))
    return int(living or 0) + int(forgotten or 0)


def purge_instances(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget processes that were superseded before a moment; what they have told still counts."""
    old = select(table.c.id).where(table.c.superseded_at < before).limit(limit)
    gone = connection.scalars(delete(table).where(table.c.id.in_(old)).returning(table.c.events)).all()
    if gone:
        connection.execute(update(delivery_account).values(forgotten=delivery_account.c.forgotten + sum(gone)))
    return len(gone)


def _insert(connection: Connection, one: Sighting) -> bool:
    row = {
        "id": one.instance,
        "registry": one.registry,
        "first_event_at": one.first_event_at,
        "last_event_at": one.last_event_at,
        "events": one.events,
        "superseded_at": None,
    }
    statement = new_insert(connection, table).on_conflict_do_nothing().returning(table.c.id)
    return connection.execute(statement, row).first() is not None


def _add(connection: Connection, one: Sighting) -> None:
    last = bindparam("last", one.last_event_at, type_=table.c.last_event_at.type)
    connection.execute(
        update(table)
        .where(table.c.id == one.instance)
        .values(
            events=table.c.events + one.events,
            last_event_at=case((table.c.last_event_at < last, last), else_=table.c.last_event_at),
            superseded_at=None,
        )
    )
