"""What was about deleted images and could not be deleted with them, for the next run of the rule.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

from services.catalog.storage.tables import DIGEST, RowId, name

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "retention_leftovers",
        sa.Column("id", RowId, nullable=False),
        sa.Column("rule_id", RowId, nullable=False),
        sa.Column("repository", name(255), nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["retention_rules.id"],
            name="fk_retention_leftovers_rule_id_retention_rules",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_retention_leftovers"),
        sa.UniqueConstraint("rule_id", "repository", "tag", name="uq_retention_leftovers_rule_id"),
    )
