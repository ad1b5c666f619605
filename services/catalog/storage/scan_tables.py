"""The tables of scans: one row for each digest and scanner, whatever repositories and tags have the digest."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from services.catalog.storage.tables import DIGEST, RowId, metadata, name
from shared.database import UtcDateTime

scans = Table(
    "scans",
    metadata,
    Column("id", RowId, primary_key=True),
    # The name under which the scanner is known here.
    Column("scanner", name(64), nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("state", String(16), nullable=False),
    # Why it is not done, in words; of one that is done, what it says nothing about.
    Column("reason", Text),
    # How many times it went wrong, one after the other.
    Column("tries", Integer, nullable=False),
    # Of those, how many it may itself be to blame for: its worker was gone in the middle of it, or a scanner that
    # answers otherwise did not answer for this one.
    Column("stumbles", Integer, nullable=False, server_default="0"),
    # False: it is new, or somebody has asked for it; those come first.
    Column("again", Boolean(create_constraint=False), nullable=False),
    # When something is to be done: to scan it; of one that is worked on, to take it from a worker who is gone.
    # NULL: never.
    Column("due_at", UtcDateTime),
    # Whoever works on it.
    Column("run", String(64)),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    # The last good report; NULL: there is none.
    Column("reported_at", UtcDateTime),
    Column("scanner_name", String(255)),
    Column("scanner_version", String(255)),
    Column("database_at", UtcDateTime),
    # The worst of the report; NULL: nothing was found.
    Column("severity", String(16)),
    Column("counts", JSON),
    UniqueConstraint("digest", "scanner"),
    Index("ix_scans_due_at", "scanner", "again", "due_at"),
)

findings = Table(
    "scan_findings",
    metadata,
    Column("scan_id", RowId, ForeignKey("scans.id"), primary_key=True),
    # The worst first, then by name.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False),
    Column("package", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("fix_version", String(255), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("links", JSON, nullable=False),
    Column("cvss_score", Double),
    Column("cvss_vector", String(255)),
    Index("ix_scan_findings_severity", "scan_id", "severity", "position"),
)
