"""The tables of the notifier."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from shared.database import UtcDateTime, new_metadata
from shared.messaging.inbox import inbox_table

metadata = new_metadata()

# SQLite counts by itself only in a column that is called INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")

inbox = inbox_table(metadata)

quarantined_events = Table(
    "quarantined_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("event_id", String(255), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    # An id that somebody has seen must never mean another event.
    sqlite_autoincrement=True,
)

# One row per message and queue: who is told of the same death twice, after a crash, knows it.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("queue", String(255), nullable=False),
    # SHA-256 of the body.
    Column("fingerprint", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    # Of the message, as far as it is one.
    Column("message_id", String(255)),
    Column("source", String(255)),
    Column("type", String(255)),
    Column("subject", String(255)),
    Column("died_at", UtcDateTime, nullable=False),
    Column("deaths", Integer, nullable=False),
    # Set while it is on its way back to its queue.
    Column("replay_at", UtcDateTime, index=True),
    UniqueConstraint("queue", "fingerprint"),
    # As above.
    sqlite_autoincrement=True,
)

# What events are about, so that what a caller may see is looked up among few rows.
repositories = Table(
    "repositories",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("full_name", String(255), nullable=False, unique=True),
    # NULL: the global namespace.
    Column("namespace", String(255), index=True),
)

# The log. A number is given under the lock of ``event_log_end``, so they become visible in order.
events = Table(
    "events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(255), nullable=False),
    Column("id", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("subject", String(255)),
    # NULL: not about a repository, and for administrators and auditors only.
    Column("repository_id", RowId, ForeignKey("repositories.id")),
    Column("namespace", String(255)),
    Column("data", JSON, nullable=False),
    UniqueConstraint("source", "id"),
    Index("ix_events_repository_id", "repository_id", "sequence"),
    Index("ix_events_namespace", "namespace", "sequence"),
)

# One row. Numbers are never given twice, also not after everything has been purged.
event_log_end = Table(
    "event_log_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
)
