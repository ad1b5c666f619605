"""Tags that must not move, and those that did.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "immutable_tags",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("namespace", name(255)),
        sa.Column("repositories", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("restores", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_immutable_tags"),
    )
    op.create_index("ix_immutable_tags_namespace", "immutable_tags", ["namespace"])
    op.create_table(
        "overwrites",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("rule_id", ROW_ID, nullable=False),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("previous_digest", name(135), nullable=False),
        sa.Column("digest", name(135), nullable=False),
        sa.Column("actor", sa.String(255)),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("noticed_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("fault", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_overwrites"),
    )
    op.create_index("ix_overwrites_repository", "overwrites", ["repository"])
    op.create_index("ix_overwrites_due_at", "overwrites", ["due_at"])
