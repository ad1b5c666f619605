"""What was ever written to each tag; it begins with what is known of the last write.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KNOWN = """
    INSERT INTO tag_writes (repository_id, tag, written_at, event, kind, digest, actor)
    SELECT repository_id, name, written_at, written_by_event,
        CASE WHEN digest IS NULL THEN 'deleted' WHEN pushed_at IS NULL THEN 'seen' ELSE 'pushed' END,
        digest, pushed_by
    FROM tags WHERE present OR digest IS NULL
"""


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tag_writes",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("written_at", UtcDateTime, nullable=False),
        sa.Column("event", name(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("digest", name(135)),
        sa.Column("actor", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_tag_writes"),
        sa.UniqueConstraint(
            "repository_id", "tag", "written_at", "event", name="uq_tag_writes_repository_id_tag_written_at_event"
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name="fk_tag_writes_repository_id_repositories"
        ),
    )
    op.create_index("ix_tag_writes_repository_id", "tag_writes", ["repository_id", "written_at", "id"])
    op.create_index("ix_tag_writes_digest", "tag_writes", ["repository_id", "digest"])
    op.create_index("ix_tag_writes_written_at", "tag_writes", ["written_at"])
    op.execute(KNOWN)


def downgrade() -> None:
    op.drop_table("tag_writes")
