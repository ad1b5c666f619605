"""The tables of the notifier."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from shared.database import UtcDateTime, new_metadata
from shared.idempotency import idempotency_table
from shared.messaging.inbox import inbox_table

metadata = new_metadata()

# SQLite counts by itself only in a column that is called INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")

idempotency_keys = idempotency_table(metadata)
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

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", RowId, primary_key=True),
    # As auth knows it; NULL: of the whole installation.
    Column("namespace_id", Integer, index=True),
    # NULL: of the whole installation; empty: of the global namespace.
    Column("namespace", String(255), index=True),
    Column("name", String(255), nullable=False),
    Column("url", Text, nullable=False),
    # Of the address, with the port.
    Column("host", Text),
    Column("method", String(8), nullable=False),
    Column("content_type", String(64), nullable=False),
    Column("username", String(255), nullable=False),
    # Encrypted: see storage.sealing.
    Column("sealed_password", Text),
    Column("sealed_secret", Text),
    Column("enabled", Boolean, nullable=False),
    Column("events", JSON, nullable=False),
    # Globs.
    Column("repositories", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # As auth knows the team for which it was made; NULL: of the whole installation, or not known.
    Column("team_id", Integer),
    # Set from when the namespace goes to another team to when that takes the webhook over.
    Column("transferred_at", UtcDateTime),
    Column("taken_over_at", UtcDateTime),
    # Set: nobody sees it any more, and it goes when what it was told has gone.
    Column("deleted_at", UtcDateTime),
    # Whose turn it is: at most one worker's thread sends to a webhook.
    Column("lease", String(32)),
    Column("leased_until", UtcDateTime),
    Column("served_at", UtcDateTime),
    # Whether the last answer was a good one, and in time.
    Column("sound", Boolean, nullable=False),
    # Whether it took long, good or not; NULL: nothing has been sent yet.
    Column("slow", Boolean),
    Index("ix_webhooks_host_served_at", "host", "served_at"),
    # Somebody may still follow the address of one that is gone.
    sqlite_autoincrement=True,
)

webhook_headers = Table(
    "webhook_headers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("webhook_id", RowId, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(128), nullable=False),
    # In lower case: HTTP knows no other difference.
    Column("folded", String(128), nullable=False),
    Column("sealed_value", Text, nullable=False),
    UniqueConstraint("webhook_id", "folded"),
    sqlite_autoincrement=True,
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("webhook_id", RowId, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event_source", String(255), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("event_type", String(255), nullable=False),
    # The event as JSON.
    Column("request_body", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    # Of HTTP; 0: nobody answered. NULL: not sent yet.
    Column("status", Integer),
    Column("fault", Text),
    Column("attempts", Integer, nullable=False),
    # Somebody asked for it: it is sent whether the webhook is enabled or not, and once.
    Column("on_demand", Boolean, nullable=False),
    # NULL: done.
    Column("next_try_at", UtcDateTime, index=True),
    # Lists of pairs.
    Column("request_headers", JSON),
    Column("response_headers", JSON),
    Column("response_body", Text),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("attempted_at", UtcDateTime),
    UniqueConstraint("webhook_id", "event_source", "event_id"),
    Index("ix_webhook_deliveries_webhook_id_id", "webhook_id", "id"),
    Index("ix_webhook_deliveries_webhook_id_next_try_at", "webhook_id", "next_try_at"),
    Index(
        "ix_webhook_deliveries_on_demand",
        "webhook_id",
        "next_try_at",
        sqlite_where=text("on_demand"),
        postgresql_where=text("on_demand"),
    ),
    sqlite_autoincrement=True,
)
