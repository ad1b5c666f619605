"""The index: repositories, tags, manifests, pulls; inbox and outbox.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def name(length: int) -> TypeEngine[str]:
    """A name, compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


DIGEST = name(135)


def upgrade() -> None:
    _create_repositories()
    _create_tags()
    _create_manifests()
    _create_pending_fetches()
    _create_pulls()
    _create_crawls()
    _create_queues()


def downgrade() -> None:
    for table in (
        *("outbox", "inbox", "progress", "leases", "crawls", "pulls", "pending_fetches"),
        *("manifest_children", "manifests", "manifest_deletions", "tags", "repositories"),
    ):
        op.drop_table(table)


def _create_repositories() -> None:
    op.create_table(
        "repositories",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("full_name", name(255), nullable=False),
        sa.Column("namespace", name(255)),
        sa.Column("tags_count", sa.Integer, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("pulls", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repositories"),
        sa.UniqueConstraint("full_name", name="uq_repositories_full_name"),
    )
    op.create_index("ix_repositories_namespace", "repositories", ["namespace"])


def _create_tags() -> None:
    op.create_table(
        "tags",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("name", name(128), nullable=False),
        sa.Column("digest", DIGEST),
        sa.Column("present", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("written_at", UtcDateTime, nullable=False),
        sa.Column("written_by_event", name(255), nullable=False),
        sa.Column("pushed_at", UtcDateTime),
        sa.Column("pushed_by", sa.String(255)),
        sa.Column("first_seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("repository_id", "name", name="uq_tags_repository_id_name"),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"], name="fk_tags_repository_id_repositories"),
    )
    op.create_index("ix_tags_digest", "tags", ["digest", "repository_id"])
    op.create_index(
        "ix_tags_present",
        "tags",
        ["repository_id", "written_at", "name"],
        # As SQLAlchemy writes the condition: SQLite takes the index for no other spelling.
        sqlite_where=sa.text("present = 1"),
        postgresql_where=sa.text("present"),
    )
    op.create_table(
        "manifest_deletions",
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("deleted_at", UtcDateTime, nullable=False),
        sa.Column("event", name(255), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "digest", name="pk_manifest_deletions"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name="fk_manifest_deletions_repository_id_repositories"
        ),
    )
    op.create_index("ix_manifest_deletions_deleted_at", "manifest_deletions", ["deleted_at"])


def _create_manifests() -> None:
    op.create_table(
        "manifests",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("media_type", sa.String(255)),
        sa.Column("artifact_type", sa.String(255)),
        sa.Column("subject", DIGEST),
        sa.Column("config_digest", DIGEST),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("os", sa.String(255)),
        sa.Column("architecture", sa.String(255)),
        sa.Column("variant", sa.String(255)),
        sa.Column("readable", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("fetched_at", UtcDateTime),
        sa.PrimaryKeyConstraint("digest", name="pk_manifests"),
    )
    op.create_index("ix_manifests_subject", "manifests", ["subject"])
    op.create_table(
        "manifest_children",
        sa.Column("parent_digest", DIGEST, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("media_type", sa.String(255)),
        sa.Column("os", sa.String(255)),
        sa.Column("architecture", sa.String(255)),
        sa.Column("variant", sa.String(255)),
        sa.Column("is_attestation", sa.Boolean(create_constraint=False), nullable=False),
        sa.PrimaryKeyConstraint("parent_digest", "position", name="pk_manifest_children"),
        sa.ForeignKeyConstraint(
            ["parent_digest"], ["manifests.digest"], name="fk_manifest_children_parent_digest_manifests"
        ),
    )
    op.create_index("ix_manifest_children_digest", "manifest_children", ["digest"])


def _create_pending_fetches() -> None:
    op.create_table(
        "pending_fetches",
        sa.Column("repository", name(255), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("repository", "digest", name="pk_pending_fetches"),
    )
    op.create_index("ix_pending_fetches_next_attempt_at", "pending_fetches", ["next_attempt_at"])


def _create_pulls() -> None:
    op.create_table(
        "pulls",
        sa.Column("repository_id", ROW_ID, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("tag", name(128), nullable=False),
        sa.Column("pulls", sa.BigInteger, nullable=False),
        sa.Column("pulled_at", UtcDateTime),
        sa.Column("checks", sa.BigInteger, nullable=False),
        sa.Column("checked_at", UtcDateTime),
        sa.PrimaryKeyConstraint("repository_id", "digest", "tag", name="pk_pulls"),
        sa.ForeignKeyConstraint(["repository_id"], ["repositories.id"], name="fk_pulls_repository_id_repositories"),
    )
    op.create_index("ix_pulls_tag", "pulls", ["repository_id", "tag"])


def _create_crawls() -> None:
    op.create_table(
        "crawls",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("repositories", sa.Integer, nullable=False),
        sa.Column("tags", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crawls"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "progress",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("indexed_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_progress"),
    )


def _create_queues() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    op.create_table(
        "outbox",
        sa.Column("sequence", ROW_ID, nullable=False),
        sa.Column("envelope", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
    )
