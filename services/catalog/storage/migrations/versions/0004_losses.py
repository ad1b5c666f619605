"""Losses of events: processes of registries, windows, push grants, counts of deliveries.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables, with one account that says nothing yet."""
    _create_instances()
    _create_windows()
    _create_grants()
    _create_deliveries()


def downgrade() -> None:
    """Drop them."""
    for table in (
        *("delivery_account", "delivery_counters", "repository_pushes", "push_grants"),
        *("loss_window_repositories", "loss_windows", "registry_instances"),
    ):
        op.drop_table(table)


def _create_instances() -> None:
    op.create_table(
        "registry_instances",
        sa.Column("id", name(255), nullable=False),
        sa.Column("registry", sa.String(255), nullable=False),
        sa.Column("first_event_at", UtcDateTime, nullable=False),
        sa.Column("last_event_at", UtcDateTime, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("superseded_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_registry_instances"),
    )
    op.create_index("ix_registry_instances_superseded_at", "registry_instances", ["superseded_at"])


def _create_windows() -> None:
    op.create_table(
        "loss_windows",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("registry", sa.String(255), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("everything", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("causes", sa.Integer, nullable=False),
        sa.Column("missing", sa.BigInteger, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("crawl_started_at", UtcDateTime),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("repaired", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_loss_windows"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_loss_windows_closed_at", "loss_windows", ["closed_at"])
    op.create_table(
        "loss_window_repositories",
        sa.Column("window_id", ROW_ID, nullable=False),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("crawled_at", UtcDateTime),
        sa.PrimaryKeyConstraint("window_id", "repository", name="pk_loss_window_repositories"),
        sa.ForeignKeyConstraint(
            ["window_id"], ["loss_windows.id"], name="fk_loss_window_repositories_window_id_loss_windows"
        ),
    )
    op.create_index("ix_loss_window_repositories_repository", "loss_window_repositories", ["repository"])


def _create_grants() -> None:
    op.create_table(
        "push_grants",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_push_grants"),
    )
    for column in ("issued_at", "due_at"):
        op.create_index(f"ix_push_grants_{column}", "push_grants", [column])
    op.create_table(
        "repository_pushes",
        sa.Column("repository", name(255), nullable=False),
        sa.Column("pushed_at", UtcDateTime),
        sa.Column("crawled_at", UtcDateTime),
        sa.PrimaryKeyConstraint("repository", name="pk_repository_pushes"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "delivery_counters",
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("counted", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_delivery_counters"),
    )
    numbers = ("settled_sent", "settled_arrived", "pending_sent", "pending_arrived", "forgotten", "sent")
    account = op.create_table(
        "delivery_account",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        *(sa.Column(number, sa.BigInteger, nullable=False) for number in numbers),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("pending_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_account"),
    )
    op.bulk_insert(account, [{"id": 1, **dict.fromkeys(numbers, 0)}])
