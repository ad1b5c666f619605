"""Crawls that any worker reads for.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("crawls", sa.Column("heard_at", UtcDateTime))
    op.create_table(
        "crawl_results",
        sa.Column("crawl_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("repository", _name(255), nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("crawl_id", "repository", name="pk_crawl_results"),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawls.id"], name="fk_crawl_results_crawl_id_crawls"),
    )
    op.create_table(
        "paces",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("taken_until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_paces"),
    )
