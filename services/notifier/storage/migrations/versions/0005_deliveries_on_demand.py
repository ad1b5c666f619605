"""What somebody has asked for is found at once, however much waits.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEX = "ix_webhook_deliveries_on_demand"


def upgrade() -> None:
    """Create the index."""
    asked = sa.text("on_demand")
    columns = ["webhook_id", "next_try_at"]
    op.create_index(INDEX, "webhook_deliveries", columns, sqlite_where=asked, postgresql_where=asked)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(INDEX, "webhook_deliveries")
