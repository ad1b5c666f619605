"""The table of deletions that a killed process would leave half-way."""

from sqlalchemy import Column, String, Table

from services.catalog.storage.tables import metadata, name
from shared.database import UtcDateTime

begun_deletions = Table(
    "begun_deletions",
    metadata,
    # Of the errand that the registry's notifications tell of, too.
    Column("id", String(64), primary_key=True),
    Column("repository", name(255), nullable=False),
    Column("tag", name(128), nullable=False),
    # On whose behalf. NULL: nobody's.
    Column("actor", String(255)),
    Column("due_at", UtcDateTime, nullable=False, index=True),
)
