"""A real Chromium in front of the portal, with stub peers behind it.

A page of these tests fails its test when the browser reports anything: a script error, or something
that the content security policy did not let pass.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from services.web.app import create_app
from services.web.settings import Settings
from shared.api.serving import ServingSettings
from shared.config import Secret
from tests.support.portal_peers import INTERNAL_SECRET, NOW, PASSWORD, Peers, run_app, run_peers

OpenPage = Callable[..., Page]


@pytest.fixture
def peers() -> Iterator[Peers]:
    with run_peers(Peers(display_names={"jane": "Jane Harbourmaster"})) as running:
        yield running


@pytest.fixture
def portal_url(peers: Peers) -> Iterator[str]:
    settings = Settings(
        auth_url=peers.url,
        catalog_url=peers.url,
        notifier_url=peers.url,
        registry_host="registry.test:5000",
        internal_secret=INTERNAL_SECRET,
        secret_key=Secret("a-key-that-signs-cookies"),
        cookie_secure=False,
        trusted_proxies=0,
        log_level="INFO",
        serving=ServingSettings("127.0.0.1:0", 1, 1),
    )
    with run_app(create_app(settings, clock=lambda: NOW)) as url:
        yield url


@pytest.fixture
def open_page(chromium: Browser, portal_url: str) -> Iterator[OpenPage]:
    """A function ``(path, *, signed_in=False, **context options) -> Page``."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Chromium reports every answer of 400 and above; those are what such a test is about.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def open_(path: str, *, signed_in: bool = False, **options: Any) -> Page:
        context = chromium.new_context(base_url=portal_url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if signed_in:
            sign_in(page)
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, username: str = "jane", password: str = PASSWORD) -> None:
    """Sign in the way people do."""
    page.goto("/sign-in")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
