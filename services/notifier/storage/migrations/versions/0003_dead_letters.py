"""Dead letters.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty; quarantined events get ids that are never given twice."""
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message_id", sa.String(255)),
        sa.Column("source", sa.String(255)),
        sa.Column("type", sa.String(255)),
        sa.Column("subject", sa.String(255)),
        sa.Column("died_at", UtcDateTime, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("replay_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sa.UniqueConstraint("queue", "fingerprint", name="uq_dead_letters_queue_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dead_letters_replay_at", "dead_letters", ["replay_at"])
    if op.get_bind().dialect.name == "sqlite":
        # People delete by id from now on: an id that somebody has seen must never mean another event.
        kind = {"sqlite_autoincrement": True}
        with op.batch_alter_table("quarantined_events", recreate="always", table_kwargs=kind):
            pass


def downgrade() -> None:
    """Drop it."""
    op.drop_table("dead_letters")
