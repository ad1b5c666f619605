"""Alembic's entry point; all is done in shared."""

from alembic import context

from services.auth.storage.tables import metadata
from shared.database import run_migration_environment

run_migration_environment(context.config, metadata)
