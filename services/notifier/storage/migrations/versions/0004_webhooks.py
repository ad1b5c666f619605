"""Webhooks.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables, empty."""
    _create_webhooks()
    op.create_table(
        "webhook_headers",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("webhook_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False),
        sa.Column("sealed_value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_headers"),
        sa.UniqueConstraint("webhook_id", "folded", name="uq_webhook_headers_webhook_id_folded"),
        _of_webhook("webhook_headers"),
        sqlite_autoincrement=True,
    )
    _create_deliveries()


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("namespace_id", sa.Integer),
        sa.Column("namespace", sa.String(255)),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("content_type", sa.String(64), nullable=False),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("sealed_password", sa.Text),
        sa.Column("sealed_secret", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("repositories", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("leased_until", UtcDateTime),
        sa.Column("served_at", UtcDateTime),
        sa.Column("sound", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sqlite_autoincrement=True,
    )
    for column in ("namespace_id", "namespace"):
        op.create_index(f"ix_webhooks_{column}", "webhooks", [column])


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("webhook_id", ROW_ID, nullable=False),
        sa.Column("event_source", sa.String(255), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("event_type", sa.String(255), nullable=False),
        sa.Column("request_body", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("fault", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("on_demand", sa.Boolean, nullable=False),
        sa.Column("next_try_at", UtcDateTime),
        sa.Column("request_headers", sa.JSON),
        sa.Column("response_headers", sa.JSON),
        sa.Column("response_body", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("attempted_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("uuid", name="uq_webhook_deliveries_uuid"),
        sa.UniqueConstraint(
            "webhook_id", "event_source", "event_id", name="uq_webhook_deliveries_webhook_id_event_source_event_id"
        ),
        _of_webhook("webhook_deliveries"),
        sqlite_autoincrement=True,
    )
    for columns in (["next_try_at"], ["created_at"], ["webhook_id", "id"], ["webhook_id", "next_try_at"]):
        op.create_index(f"ix_webhook_deliveries_{'_'.join(columns)}", "webhook_deliveries", columns)


def _of_webhook(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_webhook_id_webhooks"
    return sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    """Drop them."""
    for table in ("webhook_deliveries", "webhook_headers", "webhooks"):
        op.drop_table(table)
