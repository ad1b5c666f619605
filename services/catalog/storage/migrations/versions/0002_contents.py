"""What lies in each repository, and what manifests are made of and say of themselves.

Manifests that are known already are read again, with their configurations: they count as not fetched
and wait for their turn.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


DIGEST = name(135)


def upgrade() -> None:
    _create_repository_manifests()
    _create_manifest_parts()
    op.execute(
        "INSERT INTO repository_manifests"
        " SELECT repository_id, digest, true, max(written_at), '', NULL, min(first_seen_at)"
        " FROM tags WHERE present GROUP BY repository_id, digest"
    )
    op.execute(
        "INSERT INTO pending_fetches SELECT repositories.full_name, tags.digest, CURRENT_TIMESTAMP, 0, 0,"
        " CURRENT_TIMESTAMP FROM tags JOIN repositories ON repositories.id = tags.repository_id WHERE tags.present"
        " ON CONFLICT DO NOTHING"
    )
    op.execute("UPDATE manifests SET body = NULL")


def downgrade() -> None:
    for table in ("configs", "manifest_labels", "manifest_blobs", "repository_manifests"):
        op.drop_table(table)


def _create_repository_manifests() -> None:
    op.create_table(
        "repository_manifests",
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("present", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("written_at", UtcDateTime, nullable=False),
        sa.Column("written_by_event", name(255), nullable=False),
        sa.Column("pushed_by", sa.String(255)),
        sa.Column("first_seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "digest", name="pk_repository_manifests"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name="fk_repository_manifests_repository_id_repositories"
        ),
    )
    op.create_index("ix_repository_manifests_digest", "repository_manifests", ["digest"])


def _create_manifest_parts() -> None:
    op.create_table(
        "manifest_blobs",
        sa.Column("manifest_digest", DIGEST, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("media_type", sa.String(255)),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("manifest_digest", "position", name="pk_manifest_blobs"),
        sa.ForeignKeyConstraint(
            ["manifest_digest"], ["manifests.digest"], name="fk_manifest_blobs_manifest_digest_manifests"
        ),
    )
    op.create_index("ix_manifest_blobs_digest", "manifest_blobs", ["digest"])
    op.create_table(
        "manifest_labels",
        sa.Column("manifest_digest", DIGEST, nullable=False),
        sa.Column("is_annotation", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("key", name(255), nullable=False),
        sa.Column("value", name(255), nullable=False),
        sa.PrimaryKeyConstraint("manifest_digest", "is_annotation", "key", name="pk_manifest_labels"),
        sa.ForeignKeyConstraint(
            ["manifest_digest"], ["manifests.digest"], name="fk_manifest_labels_manifest_digest_manifests"
        ),
    )
    op.create_index("ix_manifest_labels_key", "manifest_labels", ["key", "value"])
    op.create_table(
        "configs",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_configs"),
    )
