"""The schema's history, bound to a database."""

from pathlib import Path

from services.catalog.storage import deletion_tables, immutability_tables, loss_tables, retention_tables, scan_tables
from services.catalog.storage.tables import metadata
from shared.database import Database, Migrations

# Tables are known once their modules are.
TABLES = (
    deletion_tables.begun_deletions,
    loss_tables.loss_windows,
    retention_tables.rules,
    immutability_tables.overwrites,
    scan_tables.scans,
)

__all__ = ["metadata", "migrations"]


def migrations(database: Database) -> Migrations:
    """Return what brings a database to the schema that this code needs."""
    return Migrations(database, Path(__file__).parent / "migrations")
