"""Deletions of single tags that have begun, so that whoever comes after a killed process can finish them.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

from services.catalog.storage.tables import name
from shared.database import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "begun_deletions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("actor", sa.String(255)),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_begun_deletions"),
    )
    op.create_index("ix_begun_deletions_due_at", "begun_deletions", ["due_at"])
