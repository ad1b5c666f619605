"""The portal in front of stub peers, and a browser that keeps cookies and sends forms."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.web.app import create_app
from services.web.settings import Settings
from shared.api.serving import ServingSettings
from shared.config import Secret
from tests.support.portal_peers import INTERNAL_SECRET, NOW, PASSWORD, Peers, run_peers

BuildApp = Callable[..., Flask]


@dataclass
class MovableClock:
    """The present moment, moved by tests."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Browser:
    """Gets pages and sends their forms."""

    client: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def send(self, page: str, path: str, **fields: str) -> TestResponse:
        """Send a form as it stands on a page, hidden fields included."""
        csrf_token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert csrf_token, f"{page} holds no form"
        return self.client.post(path, data={"csrf_token": html.unescape(csrf_token[1]), **fields})

    def sign_in(self, username: str = "jane", password: str = PASSWORD, **fields: str) -> TestResponse:
        return self.send("/sign-in", "/sign-in", username=username, password=password, **fields)

    def sign_out(self) -> TestResponse:
        return self.send("/explore", "/sign-out")

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None


@pytest.fixture
def peers() -> Iterator[Peers]:
    with run_peers(Peers()) as running:
        yield running


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def build_app(peers: Peers, clock: MovableClock) -> BuildApp:
    def build(**changes: Any) -> Flask:
        settings: dict[str, Any] = {
            "auth_url": peers.url,
            "catalog_url": peers.url,
            "notifier_url": peers.url,
            "registry_host": "registry.test:5000",
            "internal_secret": INTERNAL_SECRET,
            "secret_key": Secret("a-key-that-signs-cookies"),
            "cookie_secure": False,
            "trusted_proxies": 0,
            "log_level": "INFO",
            "serving": ServingSettings("127.0.0.1:0", 1, 1),
        }
        return create_app(Settings(**{**settings, **changes}), clock=clock)

    return build


@pytest.fixture
def browser(build_app: BuildApp) -> Browser:
    return Browser(build_app().test_client())


@pytest.fixture
def jane(browser: Browser) -> Browser:
    """A browser in which jane is signed in."""
    assert browser.sign_in().status_code == 303
    return browser
