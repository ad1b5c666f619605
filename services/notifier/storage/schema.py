"""The schema's history, bound to a database."""

from pathlib import Path

from shared.database import Database, Migrations


def migrations(database: Database) -> Migrations:
    """Return what brings a database to the schema that this code needs."""
    return Migrations(database, Path(__file__).parent / "migrations")
