"""Records of decisions: on PostgreSQL a table of parts, and one part for what belongs to no other yet."""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; the worker makes the parts of the days."""
    op.create_table(
        "decisions",
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("registry_id", sa.Integer),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("robot_id", sa.Integer),
        sa.Column("credential_kind", sa.String(32), nullable=False),
        sa.Column("credential_id", sa.Integer),
        sa.Column("credential_name", sa.String(255), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("client", sa.String(255), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255)),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("degraded", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name="pk_decisions"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_decisions_username_at", "decisions", ["username", "at"])
    op.create_index("ix_decisions_namespace_at", "decisions", ["namespace", "at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE decisions_default PARTITION OF decisions DEFAULT")


def downgrade() -> None:
    """Drop it, with all its parts."""
    op.drop_table("decisions")
