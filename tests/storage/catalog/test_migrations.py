"""The migrations and the tables say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.catalog.storage.schema import migrations
from services.catalog.storage.tables import metadata
from shared.database import Database


def test_the_migrations_end_in_the_schema_of_the_code(database: Database) -> None:
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_migrating_again_does_nothing(database: Database) -> None:
    migrations(database).upgrade()

    assert migrations(database).fault() is None


def test_a_database_that_was_not_migrated_is_not_ready(database_url: str) -> None:
    fault = migrations(Database(database_url)).fault()

    assert fault
    assert "migrate" in fault
