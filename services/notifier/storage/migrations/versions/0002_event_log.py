"""The event log.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the log, empty."""
    op.create_table(
        "repositories",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("full_name", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_repositories"),
        sa.UniqueConstraint("full_name", name="uq_repositories_full_name"),
    )
    op.create_index("ix_repositories_namespace", "repositories", ["namespace"])
    op.create_table(
        "events",
        sa.Column("sequence", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("time", UtcDateTime, nullable=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("subject", sa.String(255)),
        sa.Column("repository_id", ROW_ID),
        sa.Column("namespace", sa.String(255)),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
        sa.UniqueConstraint("source", "id", name="uq_events_source_id"),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"], name="fk_events_repository_id_repositories"),
    )
    op.create_index("ix_events_repository_id", "events", ["repository_id", "sequence"])
    op.create_index("ix_events_namespace", "events", ["namespace", "sequence"])
    end = op.create_table(
        "event_log_end",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_log_end"),
    )
    op.bulk_insert(end, [{"id": 1, "sequence": 0}])


def downgrade() -> None:
    """Drop the log."""
    for table in ("event_log_end", "events", "repositories"):
        op.drop_table(table)
