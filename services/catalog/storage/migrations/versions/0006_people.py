"""What people write beside repositories: descriptions, stars, comments.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("repositories", sa.Column("description", sa.Text))
    op.add_column("repositories", sa.Column("stars", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "stars",
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("username", name(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "username", name="pk_stars"),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"], name="fk_stars_repository_id_repositories"),
    )
    op.create_index("ix_stars_username", "stars", ["username"])
    op.create_table(
        "comments",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("author", name(255), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"], name="fk_comments_repository_id_repositories"),
    )
    op.create_index("ix_comments_repository_id", "comments", ["repository_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_table("comments")
    op.drop_table("stars")
    op.drop_column("repositories", "stars")
    op.drop_column("repositories", "description")
