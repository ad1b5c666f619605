"""Run by alembic; the connection comes from ``shared.database.Migrations``."""

from alembic import context

from services.catalog.storage.schema import metadata
from shared.database import run_migration_environment

run_migration_environment(context.config, metadata)
