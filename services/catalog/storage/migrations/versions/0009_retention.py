"""Retention: rules, their runs, and what each run did.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("namespace", name(255)),
        sa.Column("enabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("every_hours", sa.Integer, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("next_run_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_retention_rules"),
        sa.UniqueConstraint("name", name="uq_retention_rules_name"),
    )
    op.create_index("ix_retention_rules_namespace", "retention_rules", ["namespace"])
    op.create_index("ix_retention_rules_next_run_at", "retention_rules", ["next_run_at"])
    op.create_table(
        "retention_runs",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("rule_id", ROW_ID, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("requested_by", sa.String(255)),
        sa.Column("position", name(255), nullable=False),
        sa.Column("repositories", sa.Integer, nullable=False),
        sa.Column("kept", sa.Integer, nullable=False),
        sa.Column("deleted", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("fault", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_retention_runs"),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["retention_rules.id"],
            name="fk_retention_runs_rule_id_retention_rules",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_retention_runs_rule_id", "retention_runs", ["rule_id"])
    op.create_table(
        "retention_outcomes",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("run_id", ROW_ID, nullable=False),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("digest", name(135), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("fault", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_retention_outcomes"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["retention_runs.id"],
            name="fk_retention_outcomes_run_id_retention_runs",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_retention_outcomes_run_id", "retention_outcomes", ["run_id", "id"])
