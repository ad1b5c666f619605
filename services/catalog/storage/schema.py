"""The schema's history, bound to a database."""

from pathlib import Path

from services.catalog.storage.loss_tables import loss_windows
from shared.database import Database, Migrations

metadata = loss_windows.metadata
"""Of every table; those of the losses are made last."""


def migrations(database: Database) -> Migrations:
    """Return what brings a database to the schema that this code needs."""
    return Migrations(database, Path(__file__).parent / "migrations")
