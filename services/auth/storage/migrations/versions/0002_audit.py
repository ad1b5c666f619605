"""The audit trail: its entries and the heads of its partitions."""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAGED = ("actor", "actor_id", "action", "target_name", "user_id", "team_id", "namespace_id")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("partition", sa.String(7), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("actor_id", sa.Integer),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target_type", sa.String(32), nullable=False),
        sa.Column("target_id", sa.String(64), nullable=False),
        sa.Column("target_name", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("user_name", sa.String(255)),
        sa.Column("team_id", sa.Integer),
        sa.Column("team_name", sa.String(255)),
        sa.Column("namespace_id", sa.Integer),
        sa.Column("namespace_name", sa.String(255)),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        sa.UniqueConstraint("partition", "position", name="uq_audit_entries_partition_position"),
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    op.create_index("ix_audit_entries_request_id", "audit_entries", ["request_id"])
    for column in _PAGED:
        op.create_index(f"ix_audit_entries_{column}_id", "audit_entries", [column, "id"])
    op.create_table(
        "audit_heads",
        sa.Column("partition", sa.String(7), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("purged_at", UtcDateTime),
        sa.PrimaryKeyConstraint("partition", name="pk_audit_heads"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("audit_heads")
    op.drop_table("audit_entries")
