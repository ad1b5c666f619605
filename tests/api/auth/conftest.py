"""``auth`` on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.auth.app import migrations_of
from tests.support.auth import AuthFactory, AuthService, auth_factory
from tests.support.little_catalog import LittleCatalog
from tests.support.serving import serving
from tests.support.templates import MigrationsOf


@pytest.fixture
def database_migrations(request: pytest.FixtureRequest) -> MigrationsOf | None:
    return migrations_of if "make_auth" in request.fixturenames else None


@pytest.fixture
def make_auth(tmp_path: Path, database_url: str) -> Iterator[AuthFactory]:
    """A function that builds the service with changed settings, each time on the same database."""
    with ExitStack() as stack:
        yield auth_factory(tmp_path, database_url, stack)


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    """The service with the settings of the tests."""
    return make_auth()


@pytest.fixture
def catalog() -> Iterator[LittleCatalog]:
    """A catalog that holds nothing yet; ``catalog.url`` is where it answers."""
    little = LittleCatalog()
    with serving(little.app()) as url:
        little.url = url
        yield little
