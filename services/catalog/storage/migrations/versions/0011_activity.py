"""Pushes and pulls by day.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("pushes", sa.BigInteger, nullable=False),
        sa.Column("pulls", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "day", name="pk_activity"),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"], name="fk_activity_repository_id_repositories"),
    )
    op.create_index("ix_activity_day", "activity", ["day"])
