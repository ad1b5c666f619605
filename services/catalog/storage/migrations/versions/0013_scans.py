"""Scans of digests and what they found.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("scanner", _name(64), nullable=False),
        sa.Column("digest", _name(135), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("again", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("due_at", UtcDateTime),
        sa.Column("run", sa.String(64)),
        sa.Column("started_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("reported_at", UtcDateTime),
        sa.Column("scanner_name", sa.String(255)),
        sa.Column("scanner_version", sa.String(255)),
        sa.Column("database_at", UtcDateTime),
        sa.Column("severity", sa.String(16)),
        sa.Column("counts", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_scans"),
        sa.UniqueConstraint("digest", "scanner", name="uq_scans_digest_scanner"),
    )
    op.create_index("ix_scans_due_at", "scans", ["scanner", "again", "due_at"])
    op.create_table(
        "scan_findings",
        sa.Column("scan_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("package", sa.String(255), nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("fix_version", sa.String(255), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("links", sa.JSON, nullable=False),
        sa.Column("cvss_score", sa.Double),
        sa.Column("cvss_vector", sa.String(255)),
        sa.PrimaryKeyConstraint("scan_id", "position", name="pk_scan_findings"),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name="fk_scan_findings_scan_id_scans"),
    )
    op.create_index("ix_scan_findings_severity", "scan_findings", ["scan_id", "severity", "position"])
    # The newest tags of all repositories are looked at for what is to be scanned.
    op.create_index(
        "ix_tags_written_at",
        "tags",
        ["written_at", "id"],
        sqlite_where=sa.text("present = 1"),
        postgresql_where=sa.text("present"),
    )
