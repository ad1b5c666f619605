"""The tables of the notifier."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

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
    # NULL: not about a repository; only those who see everything see it.
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
