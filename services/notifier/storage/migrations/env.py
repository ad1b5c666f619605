"""Run by alembic; the connection comes from ``shared.database.Migrations``."""

from alembic import context

from services.notifier.storage.tables import metadata
from shared.database import run_migration_environment

run_migration_environment(context.config, metadata)
