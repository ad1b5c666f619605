from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.catalog.app import create_app
from services.catalog.domain.rounds import Rhythm, Strategy
from services.catalog.settings import Settings
from services.catalog.usecases.apply_notifications import apply_notifications
from shared.api.serving import ServingSettings
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from shared.messaging.topology import declare_topology
from tests.support.catalog import envelope_for, new_index
from tests.support.catalog_clients import new_fetcher, nowhere
from tests.support.serving import serving
from tests.support.visibility import EVERYTHING, NOBODY, PEER_SECRET, AuthAnswers


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
    return Settings(
        database_url=Secret(f"sqlite:///{tmp_path / 'catalog.db'}"),
        broker_url=Secret(f"sqlite:///{tmp_path / 'broker.db'}"),
        auth_url=auth_url,
        internal_secret=Secret(PEER_SECRET),
        registry_url="http://127.0.0.1:9",
        registry_ca_bundle=None,
        registry_host="registry.example:5000",
        registry_service="portus-registry",
        service_account_secret=Secret("the-secret-of-the-account"),
        registry_metrics_urls=(),
        registry_metrics_endpoint="portus",
        crawl_on_empty=False,
        rhythm=Rhythm(Strategy.INITIAL),
        crawl_threads=8,
        crawl_rate=0,
        garbage_collector=None,
        web_url="https://portus.example.org",
        tag_history=None,
        trusted_proxies=0,
        log_level="INFO",
        serving=ServingSettings("127.0.0.1:0", 1, 1),
    )


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
