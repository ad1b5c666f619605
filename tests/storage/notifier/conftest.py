from collections.abc import Iterator

import pytest

from services.notifier.storage.schema import migrations
from shared.database import Database
from tests.support.templates import MigrationsOf, start_migrated


@pytest.fixture
def database_migrations(request: pytest.FixtureRequest) -> MigrationsOf | None:
    return migrations if "database" in request.fixturenames else None


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    start_migrated(database_url, migrations)
    migrations(database).upgrade()
    yield database
    database.dispose()
