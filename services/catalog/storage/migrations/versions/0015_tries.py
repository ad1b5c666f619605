"""Repositories that were to be verified and could not be read.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repository_rounds", sa.Column("tried_at", UtcDateTime))
