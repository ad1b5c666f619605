"""Scans that a worker or a scanner does not survive, and fetches of one digest.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scans", sa.Column("stumbles", sa.Integer, nullable=False, server_default="0"))
    # Whether a digest is still to come is asked of each image of an index.
    op.create_index("ix_pending_fetches_digest", "pending_fetches", ["digest"])
