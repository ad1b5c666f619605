"""Leaves that sign at once, and leaves that are revoked."""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns that whoever does not know them may leave out: processes of the version before."""
    op.add_column("signing_leaves", sa.Column("at_once", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("signing_leaves", sa.Column("revoked_at", UtcDateTime))


def downgrade() -> None:
    """Forget the revoked leaves rather than trust them again."""
    leaves = sa.table("signing_leaves", sa.column("revoked_at", UtcDateTime))
    op.execute(leaves.delete().where(leaves.c.revoked_at.is_not(None)))
    op.drop_column("signing_leaves", "revoked_at")
    op.drop_column("signing_leaves", "at_once")
