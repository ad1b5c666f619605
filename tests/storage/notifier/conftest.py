from collections.abc import Iterator

import pytest

from services.notifier.storage.schema import migrations
from shared.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations(database).upgrade()
    yield database
    database.dispose()
