"""Crawls that come again, and the differences that they find.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("crawls", sa.Column("kind", sa.String(16), nullable=False, server_default="first"))
    for column in ("repaired", "removed", "verified", "drift", "restarts"):
        op.add_column("crawls", sa.Column(column, sa.Integer, nullable=False, server_default="0"))
    op.add_column("crawls", sa.Column("position", name(255)))
    op.add_column("crawls", sa.Column("requested_by", sa.String(255)))
    op.add_column("crawls", sa.Column("fault", sa.Text))
    op.create_table(
        "repository_rounds",
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("listed_in", ROW_ID),
        sa.Column("verified_at", UtcDateTime),
        sa.PrimaryKeyConstraint("repository_id", name="pk_repository_rounds"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name="fk_repository_rounds_repository_id_repositories"
        ),
    )
    op.create_index("ix_repository_rounds_verified_at", "repository_rounds", ["verified_at"])
    op.create_table(
        "drift",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("namespace", name(255)),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("indexed_digest", name(135)),
        sa.Column("found_digest", name(135)),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("first_seen_at", UtcDateTime, nullable=False),
        sa.Column("last_seen_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("rounds", sa.Integer, nullable=False),
        sa.Column("crawl_id", ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drift"),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawls.id"], name="fk_drift_crawl_id_crawls"),
    )
    op.create_index("ix_drift_repository", "drift", ["repository", "tag", "kind"])
    op.create_index("ix_drift_state", "drift", ["state", "id"])
    op.create_index("ix_drift_crawl_id", "drift", ["crawl_id"])
    op.create_index("ix_drift_closed_at", "drift", ["closed_at"])
