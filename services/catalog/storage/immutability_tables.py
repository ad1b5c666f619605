"""The tables of tags that must not move."""

from sqlalchemy import JSON, Boolean, Column, Integer, String, Table, Text

from services.catalog.storage.tables import DIGEST, RowId, metadata, name
from shared.database import UtcDateTime

immutable_tags = Table(
    "immutable_tags",
    metadata,
    Column("id", RowId, primary_key=True),
    # NULL: of the whole installation. Empty: of the global namespace.
    Column("namespace", name(255), index=True),
    Column("repositories", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("restores", Boolean(create_constraint=False), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

overwrites = Table(
    "overwrites",
    metadata,
    Column("id", RowId, primary_key=True),
    # Of the rule, which may be gone since.
    Column("rule_id", RowId, nullable=False),
    Column("repository", name(255), nullable=False, index=True),
    Column("tag", name(128), nullable=False),
    Column("previous_digest", DIGEST, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("actor", String(255)),
    Column("at", UtcDateTime, nullable=False),
    Column("noticed_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("fault", Text),
    Column("attempts", Integer, nullable=False),
    # When it is tried to put the former manifest back; NULL: never again.
    Column("due_at", UtcDateTime, index=True),
)
