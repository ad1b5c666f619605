"""A webhook that somebody has deleted, until what it was told is gone, too.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("webhooks", sa.Column("deleted_at", UtcDateTime))


def downgrade() -> None:
    """Let those go at once that are on their way, and drop the column."""
    op.execute("DELETE FROM webhooks WHERE deleted_at IS NOT NULL")
    op.drop_column("webhooks", "deleted_at")
