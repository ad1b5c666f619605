"""For which team a webhook was made, and what became of it when its namespace went to another.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("team_id", "transferred_at", "taken_over_at")


def upgrade() -> None:
    """Add the columns; of the webhooks that are there it is not known."""
    op.add_column("webhooks", sa.Column("team_id", sa.Integer))
    op.add_column("webhooks", sa.Column("transferred_at", UtcDateTime))
    op.add_column("webhooks", sa.Column("taken_over_at", UtcDateTime))


def downgrade() -> None:
    """Drop the columns."""
    for column in reversed(COLUMNS):
        op.drop_column("webhooks", column)
