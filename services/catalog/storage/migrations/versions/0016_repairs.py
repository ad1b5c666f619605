"""Differences that were found in what is read after a loss, and tokens that allow to delete and not to push.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("drift") as drift:
        drift.alter_column("crawl_id", existing_type=sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=True)
    op.add_column("loss_windows", sa.Column("left_open", sa.Integer, nullable=False, server_default="0"))
    op.add_column("push_grants", sa.Column("pushes", sa.Boolean, nullable=False, server_default=sa.true()))
