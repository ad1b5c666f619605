"""The outbox: events wait in the database of the change they tell of, and are published after it.

An event is written in the transaction of its change, so that neither is ever there without the other.
A relay publishes at least once; consumers have an inbox.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import JSON, BigInteger, Column, Connection, Integer, MetaData, Table, delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from shared.contracts.events import Envelope, dump_envelope, load_envelope
from shared.database import Database, UtcDateTime
from shared.messaging.publisher import Publisher, PublishError

BATCH_SIZE = 100
IDLE_S = 0.2
"""How often an empty outbox is looked into."""
LONGEST_PAUSE_S = 1.0
"""Longest pause between attempts while the broker or the database is away."""

log = structlog.get_logger(__name__)


def outbox_table(metadata: MetaData) -> Table:
    """Return a service's outbox."""
    return Table(
        "outbox",
        metadata,
        # SQLite counts by itself only in a column that is called INTEGER.
        Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("envelope", JSON, nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
    )


def record_event(connection: Connection, outbox: Table, envelope: Envelope) -> None:
    """Write an event inside the caller's transaction."""
    record_events(connection, outbox, [envelope])


def record_events(connection: Connection, outbox: Table, envelopes: Iterable[Envelope]) -> None:
    """Write events inside the caller's transaction, in order and with one statement."""
    rows = [{"envelope": dump_envelope(envelope), "created_at": envelope.time} for envelope in envelopes]
    if rows:
        connection.execute(insert(outbox), rows)


def relay_outbox(database: Database, outbox: Table, publisher: Publisher, *, stop: threading.Event) -> None:
    """Publish what is in the outbox, in order, until told to stop; survives outages of broker and database.

    Several relays may run: on PostgreSQL one works while the others wait; on SQLite two may publish
    the same event, which its consumers' inboxes know how to take.
    """
    failures = 0
    while not stop.is_set():
        try:
            relayed = relay_batch(database, outbox, publisher)
            failures = 0
            stop.wait(0 if relayed == BATCH_SIZE else IDLE_S)
        except (PublishError, SQLAlchemyError) as fault:
            log.warning("outbox.not_relayed", fault=str(fault))
            failures += 1
            stop.wait(min(IDLE_S * 2**failures, LONGEST_PAUSE_S))


def relay_batch(database: Database, outbox: Table, publisher: Publisher) -> int:
    """Publish the oldest events, forget those that are confirmed, and return how many there were.

    Raises:
        PublishError: some are not confirmed; they stay.
    """
    with _turn(database) as is_ours:
        if not is_ours:
            return 0
        with database.read() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.sequence).limit(BATCH_SIZE)).all()
        envelopes = {row.sequence: load_envelope(row.envelope) for row in rows}
        try:
            publisher.publish(list(envelopes.values()), mandatory=False)
        except PublishError as fault:
            kept = {(envelope.source, envelope.id) for envelope in fault.unconfirmed}
            _forget(database, outbox, [n for n, each in envelopes.items() if (each.source, each.id) not in kept])
            raise
        _forget(database, outbox, list(envelopes))
        return len(envelopes)


@contextmanager
def _turn(database: Database) -> Iterator[bool]:
    """Let one relay at a time work; on SQLite a lock would also keep out everybody who writes."""
    if database.is_sqlite:
        yield True
        return
    with database.write() as connection:
        # Held until the end of this transaction, however that comes.
        yield bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('portus.outbox'))")))


def _forget(database: Database, outbox: Table, sequences: list[int]) -> None:
    if sequences:
        with database.write() as connection:
            connection.execute(delete(outbox).where(outbox.c.sequence.in_(sequences)))
