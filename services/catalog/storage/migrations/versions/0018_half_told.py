"""How many repositories a crawl has told too little of, for whoever takes it up again.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("crawls", sa.Column("half_told", sa.Integer, nullable=False, server_default="0"))
