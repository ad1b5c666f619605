"""The inbox: which messages a consumer has applied already, so that each is applied once.

A message's id goes in with its effect, in one transaction; a redelivery then finds it there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from shared.contracts.events import Envelope
from shared.database import UtcDateTime


def inbox_table(metadata: MetaData) -> Table:
    """Return a service's inbox: ``source`` and ``id`` of each message, unique together."""
    return Table(
        "inbox",
        metadata,
        Column("source", String(255), primary_key=True),
        Column("id", String(255), primary_key=True),
        Column("received_at", UtcDateTime, nullable=False, index=True),
    )


def claim_new(connection: Connection, inbox: Table, envelopes: Sequence[Envelope], *, now: datetime) -> list[Envelope]:
    """Insert the ids inside the caller's transaction and return the envelopes not seen before.

    A second claim of the same id waits for the first one's transaction, and takes over if that fails.

    Args:
        envelopes: duplicates among them count once; the first is returned.
        now: written down for ``purge_inbox``.
    """
    first = {(envelope.source, envelope.id): envelope for envelope in reversed(envelopes)}
    # Always in the same order: two consumers with overlapping batches could otherwise wait for each other.
    rows = [{"source": source, "id": id_, "received_at": now} for source, id_ in sorted(first)]
    claimed = set(_insert(connection, inbox, rows)) if rows else set()
    return [envelope for envelope in envelopes if _takes(envelope, claimed)]


def purge_inbox(connection: Connection, inbox: Table, *, before: datetime, limit: int = 10_000) -> int:
    """Forget messages received before a moment, at most ``limit`` of them, and return how many."""
    old = select(inbox.c.source, inbox.c.id).where(inbox.c.received_at < before).limit(limit)
    return connection.execute(delete(inbox).where(tuple_(inbox.c.source, inbox.c.id).in_(old))).rowcount


def _insert(connection: Connection, inbox: Table, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    # Given apart from the statement, so that it is compiled once for any number of rows.
    statement = dialect.insert(inbox).on_conflict_do_nothing().returning(inbox.c.source, inbox.c.id)
    return [(source, id_) for source, id_ in connection.execute(statement, rows)]


def _takes(envelope: Envelope, claimed: set[tuple[str, str]]) -> bool:
    key = (envelope.source, envelope.id)
    new = key in claimed
    claimed.discard(key)
    return new
