from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

from services.catalog.storage.schema import migrations
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.clock import utc_now
from shared.database import Database
from tests.conftest import RegistryFactory
from tests.support.catalog import new_index
from tests.support.catalog_clients import new_client, new_fetcher, nowhere
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy
from tests.support.scan_house import House, scan_house
from tests.support.serving import serving
from tests.support.templates import MigrationsOf


@pytest.fixture
def database_migrations(request: pytest.FixtureRequest) -> MigrationsOf | None:
    return migrations if "database" in request.fixturenames else None


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


@pytest.fixture
def proxy(registry_factory: RegistryFactory) -> RegistryProxy:
    """A registry behind a proxy that can spoil its answers."""
    return RegistryProxy(registry_factory().url)


@pytest.fixture
def pusher(proxy: RegistryProxy) -> Pusher:
    """Pushes past the proxy."""
    return Pusher(proxy.target)


@pytest.fixture
def crawler(proxy: RegistryProxy, database: Database) -> Iterator[RepositoryCrawler]:
    with serving(proxy.app()) as url, ExitStack() as stack:
        client = new_client(url)
        fetcher = new_fetcher(client, database)
        stack.callback(fetcher.close)
        yield RepositoryCrawler(database, client, fetcher, utc_now, Event())


@pytest.fixture
def house(database: Database, registry_factory: RegistryFactory, tmp_path: Path) -> Iterator[House]:
    """What is needed to scan."""
    with scan_house(database, registry_factory, tmp_path) as house:
        yield house
