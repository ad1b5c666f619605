from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.catalog.app import create_app
from services.catalog.settings import Settings
from services.catalog.usecases.apply_notifications import apply_notifications
from shared.clock import utc_now
from shared.database import Database
from shared.messaging.topology import declare_topology
from tests.support.catalog import envelope_for, make_settings, new_index
from tests.support.catalog_clients import new_fetcher, nowhere
from tests.support.serving import serving
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers


@pytest.fixture
def auth() -> AuthAnswers:
    """An ``auth`` that knows an administrator and shows strangers nothing."""
    return AuthAnswers({"Bearer administrator": EVERYTHING, None: NOBODY})


@pytest.fixture
def auth_url(auth: AuthAnswers) -> Iterator[str]:
    with serving(auth.app()) as url:
        yield url


@pytest.fixture
def catalog_settings(tmp_path: Path, auth_url: str) -> Settings:
    return make_settings(tmp_path, auth_url)


@pytest.fixture
def index(catalog_settings: Settings) -> Iterator[Database]:
    """An empty index."""
    declare_topology(catalog_settings.broker_url)
    database = new_index(catalog_settings.database_url.reveal())
    yield database
    database.dispose()


@pytest.fixture
def app(catalog_settings: Settings, index: Database) -> Flask:
    return create_app(catalog_settings, index)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def tell(index: Database) -> Iterator[Callable[..., None]]:
    """A function that applies occurrences."""
    fetcher = new_fetcher(nowhere(), index)

    def apply(*occurrences: Any) -> None:
        told = [envelope_for(one) for one in occurrences]
        apply_notifications(told, database=index, fetcher=fetcher, clock=utc_now)

    yield apply
    fetcher.close()
