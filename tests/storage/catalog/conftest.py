from collections.abc import Iterator

import pytest

from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.database import Database
from tests.support.catalog import new_index
from tests.support.catalog_clients import new_fetcher, nowhere


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty index."""
    database = new_index(database_url)
    yield database
    database.dispose()


@pytest.fixture
def no_registry(database: Database) -> Iterator[ManifestFetcher]:
    """Fetches from a registry that is away."""
    fetcher = new_fetcher(nowhere(), database)
    yield fetcher
    fetcher.close()
