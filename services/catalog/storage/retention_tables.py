"""The tables of retention: rules, their runs, and what each run did."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from services.catalog.storage.tables import DIGEST, RowId, metadata, name
from shared.database import UtcDateTime

rules = Table(
    "retention_rules",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    # NULL: of the whole installation. Empty: of the global namespace.
    Column("namespace", name(255), index=True),
    Column("enabled", Boolean(create_constraint=False), nullable=False),
    # What domain.retention.Rule says, as the API writes it.
    Column("terms", JSON, nullable=False),
    Column("every_hours", Integer, nullable=False),
    # By whom; empty: by the environment.
    Column("created_by", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("next_run_at", UtcDateTime, index=True),
)

runs = Table(
    "retention_runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("rule_id", RowId, ForeignKey("retention_rules.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("requested_by", String(255)),
    # All repositories up to this one are done.
    Column("position", name(255), nullable=False),
    Column("repositories", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("fault", Text),
)

outcomes = Table(
    "retention_outcomes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", RowId, ForeignKey("retention_runs.id", ondelete="CASCADE"), nullable=False),
    Column("repository", name(255), nullable=False),
    Column("tag", name(128), nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("reason", Text, nullable=False),
    # Why it is there still; NULL: it is gone.
    Column("fault", Text),
    Index("ix_retention_outcomes_run_id", "run_id", "id"),
)

# Tags that were about what a rule has deleted, and could not be deleted with it.
leftovers = Table(
    "retention_leftovers",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("rule_id", RowId, ForeignKey("retention_rules.id", ondelete="CASCADE"), nullable=False),
    Column("repository", name(255), nullable=False),
    Column("tag", name(128), nullable=False),
    Column("digest", DIGEST, nullable=False),
    UniqueConstraint("rule_id", "repository", "tag", name="uq_retention_leftovers_rule_id"),
)
