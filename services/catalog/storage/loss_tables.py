"""The tables that losses of events are accounted for in."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, true

from services.catalog.storage.tables import RowId, metadata, name
from shared.database import UtcDateTime

# One row per process of a registry that has told us anything.
registry_instances = Table(
    "registry_instances",
    metadata,
    Column("id", name(255), primary_key=True),
    Column("registry", String(255), nullable=False),
    # By the registry's clock.
    Column("first_event_at", UtcDateTime, nullable=False),
    Column("last_event_at", UtcDateTime, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("superseded_at", UtcDateTime, index=True),
)

loss_windows = Table(
    "loss_windows",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("registry", String(255), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    # When the lost events may have happened, by the registry's clock.
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    # Which repositories they may be about: all of them, or those in loss_window_repositories.
    Column("everything", Boolean(create_constraint=False), nullable=False),
    # How many suspicions were folded into this window.
    Column("causes", Integer, nullable=False),
    Column("missing", BigInteger, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("crawl_started_at", UtcDateTime),
    Column("closed_at", UtcDateTime, index=True),
    Column("repaired", Integer, nullable=False),
    Column("left_open", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

loss_window_repositories = Table(
    "loss_window_repositories",
    metadata,
    Column("window_id", RowId, ForeignKey("loss_windows.id"), primary_key=True),
    Column("repository", name(255), primary_key=True),
    Column("crawled_at", UtcDateTime),
)

# Tokens that allow to change a repository, until it is clear what came of them, and some time longer.
push_grants = Table(
    "push_grants",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository", name(255), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
    # Whether they allow a push; else only to delete.
    Column("pushes", Boolean(create_constraint=False), nullable=False, server_default=true()),
    # NULL: settled.
    Column("due_at", UtcDateTime, index=True),
)

# What was heard of a repository last, and when it was read last because of a loss.
repository_pushes = Table(
    "repository_pushes",
    metadata,
    Column("repository", name(255), primary_key=True),
    Column("pushed_at", UtcDateTime),
    Column("crawled_at", UtcDateTime),
)

# The registry's own count of deliveries: one row per process that is asked.
delivery_counters = Table(
    "delivery_counters",
    metadata,
    Column("url", String(2048), primary_key=True),
    Column("counted", BigInteger, nullable=False),
)

# One row: how that compares with what arrived.
delivery_account = Table(
    "delivery_account",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Events of processes whose row was purged.
    Column("forgotten", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("settled_sent", BigInteger, nullable=False),
    Column("settled_arrived", BigInteger, nullable=False),
    Column("pending_at", UtcDateTime),
    Column("pending_sent", BigInteger, nullable=False),
    Column("pending_arrived", BigInteger, nullable=False),
)

Index("ix_loss_window_repositories_repository", loss_window_repositories.c.repository)
