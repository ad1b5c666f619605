"""Indexes by which tags and people are searched.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# As SQLAlchemy writes the condition: SQLite takes the index for no other spelling.
ON_SQLITE, ON_POSTGRESQL = sa.text("present = 1"), sa.text("present")


def upgrade() -> None:
    columns = ["name", "repository_id"]
    op.create_index("ix_tags_name", "tags", columns, sqlite_where=ON_SQLITE, postgresql_where=ON_POSTGRESQL)
    op.drop_index("ix_tags_referrer_of", "tags")
    columns, known = ["repository_id", "referrer_of"], sa.text("referrer_of IS NOT NULL")
    op.create_index("ix_tags_referrer_of", "tags", columns, sqlite_where=known, postgresql_where=known)
    if op.get_bind().dialect.name == "postgresql":
        # Compared byte by byte, like all other names; SQLite always does.
        op.alter_column("tags", "pushed_by", type_=sa.String(255, collation="C"))
    op.create_index("ix_tags_pushed_by", "tags", ["pushed_by", "repository_id"])
