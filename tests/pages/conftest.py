"""The portal in front of the real services, all of them in this process and on SQLite.

``house`` has them and makes what a test needs; ``house.sign_in("jane")`` is a browser in which jane is signed in.
No registry runs: what is in the index was told by events.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.management import Switches
from services.catalog.app import create_app as create_catalog
from services.catalog.domain.drift import Finding as Difference
from services.catalog.domain.drift import Kind
from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.domain.rounds import CrawlKind
from services.catalog.domain.scans import DEFAULT_SCANNER, Finding, MadeBy, make_report
from services.catalog.storage.crawls import open_crawl, save_crawl
from services.catalog.storage.drift import file_findings
from services.catalog.storage.loss_windows import open_window
from services.catalog.storage.repositories import lock_repositories
from services.catalog.storage.scan_planning import enlist
from services.catalog.storage.scans import claim_scan, save_report
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.notifier.usecases.keep_quarantined import keep_quarantined
from services.web.app import create_app as create_portal
from services.web.settings import Settings as PortalSettings
from shared.api.serving import ServingSettings
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import RegistryNotificationQuarantined, envelope_of
from shared.database import Database
from shared.messaging.topology import declare_topology
from shared.oci.names import Digest, RepositoryName, split_namespace
from tests.conftest import RegistryFactory
from tests.support.auth import INTERNAL_SECRET, PASSWORD, AuthService, TestClock, auth_factory
from tests.support.catalog import digest_of, envelope_for, make_scanner, new_index, push
from tests.support.catalog import make_settings as catalog_settings
from tests.support.catalog_clients import new_client, new_fetcher, nowhere
from tests.support.images import Pusher
from tests.support.notifier import Notifier
from tests.support.notifier import make_settings as notifier_settings
from tests.support.ports import free_port
from tests.support.serving import serving

REGISTRY = "registry.example.org"
ONE_PROCESS = ServingSettings("127.0.0.1:0", 1, 1)


@dataclass
class Browser:
    """Gets pages and sends their forms, as somebody who is signed in or as nobody."""

    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def read(self, path: str) -> str:
        """Return a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{answer.status_code} at {path}: {heading_of(answer.text)}"
        return answer.text

    def send(self, page: str, path: str, **fields: str) -> TestResponse:
        """Send a form as it stands on a page."""
        return self.client.post(path, data={"csrf_token": token_of(self.read(page)), **fields})

    def follow(self, answer: TestResponse) -> str:
        """Return the page that a form leads to."""
        assert answer.status_code == 303, f"{answer.status_code}: {heading_of(answer.text)} {faults_of(answer.text)}"
        return self.read(answer.location)


@dataclass
class Calls:
    """How often the portal has asked the other services, by ``GET /path``."""

    asked: list[str] = field(default_factory=list)

    def counted(self, app: Any) -> Any:
        """Return a WSGI application that counts what the portal asks of it."""

        def count(environ: dict[str, Any], start_response: Any) -> Any:
            if environ.get("HTTP_USER_AGENT", "").startswith("portus-web"):
                self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return app(environ, start_response)

        return count


@dataclass
class House:
    """The services, and what is in them."""

    auth: AuthService
    index: Database
    portal: Flask
    notifier: Notifier
    registry_url: str
    stop_notifier: Callable[[], None]
    calls: "Calls"

    def browser(self) -> Browser:
        return Browser(self.portal.test_client())

    def sign_in(self, username: str) -> Browser:
        """Return a browser in which an existing person is signed in."""
        browser = self.browser()
        answer = browser.send("/sign-in", "/sign-in", username=username, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return browser

    def push(self, repository: str, *tags: str, by: str = "olga") -> None:
        """Let the catalog hear of pushes, each of a manifest of its own, a minute apart."""
        fetcher = new_fetcher(nowhere(), self.index)
        told = [
            envelope_for(push(tag, digest_of(f"{repository}:{tag}"), 60.0 * at, repository=repository, actor=by))
            for at, tag in enumerate(tags)
        ]
        apply_notifications(told, database=self.index, fetcher=fetcher, clock=utc_now)
        fetcher.close()

    def quarantine(self, event_id: str, raw: str, reason: str) -> None:
        """Keep an event that could not be read, as the notifier's worker does."""
        data = RegistryNotificationQuarantined(reason, raw)
        told = envelope_of(data, id=event_id, source="registry/x", time=utc_now())
        keep_quarantined([told], database=self.notifier.database, clock=utc_now)

    def open_loss_window(self) -> None:
        """Let the catalog suspect that a registry was started anew, and lost what it had not told."""
        now = utc_now()
        with self.index.write() as connection:
            open_window(connection, Suspicion(REGISTRY, Reason.RESTART, since=now, until=now), now=now)

    def find_ghost(self, repository: str) -> None:
        """Let a round find that the registry names a repository in which there is nothing."""
        now, name = utc_now(), RepositoryName(repository)
        with self.index.write() as connection:
            crawl = open_crawl(connection, CrawlKind.ROUND, now=now)
            save_crawl(connection, crawl, {}, position=None, finished_at=now)
            lock_repositories(connection, [name], now=now)
            ghost = Difference(Kind.GHOST_REPOSITORY, name, namespace=split_namespace(name).namespace)
            file_findings(connection, [ghost], crawl=crawl, now=now)

    def scan(self, digest: str, *found: Finding, left_out: str | None = None) -> None:
        """Let the scanner find something in a manifest.

        Args:
            left_out: what its report says nothing about, and why.
        """
        now = utc_now()
        with self.index.write() as connection:
            enlist(connection, DEFAULT_SCANNER, [(Digest(digest), now)])
            claim = claim_scan(connection, DEFAULT_SCANNER, run="us", now=now, until=now)
            assert claim is not None
            report, made_by, again = make_report(found), MadeBy("Trivy", "0.57.1", now), now + timedelta(days=1)
            save_report(connection, claim, report, made_by, reason=left_out, reported_at=now, due_at=again, now=now)

    def crawl(self, repository: str) -> None:
        """Let the catalog look through a repository of the registry."""
        client = new_client(self.registry_url)
        fetcher = new_fetcher(client, self.index)
        RepositoryCrawler(self.index, client, fetcher, utc_now, Event()).crawl(RepositoryName(repository))
        fetcher.close()


def heading_of(page: str) -> str:
    """Return the title of a page."""
    found = re.search(r"<title>(.*?)</title>", page)
    return found[1] if found else page[:200]


def faults_of(page: str) -> list[str]:
    """Return what a page says is wrong."""
    return re.findall(r'class="field-fault"[^>]*>(.*?)</p>', page) + re.findall(r'role="alert".*?<p>(.*?)</p>', page)


def token_of(page: str) -> str:
    """Return the hidden field that every form of a page holds."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the page holds no form"
    return found[1]


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """A function ``(registry_url=...) -> House``."""
    with ExitStack() as stack:
        yield partial(build_house, tmp_path, stack)


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """A house without a registry."""
    return make_house()


@pytest.fixture
def stocked(make_house: Callable[..., House], registry_factory: RegistryFactory) -> tuple[House, Pusher]:
    """A house with a registry, and something that pushes past all rights; ``house.crawl`` brings it into the index."""
    registry = registry_factory()
    return make_house(registry_url=registry.url), Pusher(registry.url)


@pytest.fixture
def world(stocked: tuple[House, Pusher]) -> tuple[House, str]:
    """A house in which something happened, and a digest that lies in it; see ``tests/pages/world.py``."""
    from tests.pages.world import furnish

    house, pusher = stocked
    return house, furnish(house, pusher)


def build_house(
    folder: Path,
    stack: ExitStack,
    *,
    registry_url: str = "http://127.0.0.1:9",
    signup: bool = False,
    switches: Switches | None = None,
    anonymous_browsing: bool = True,
    index_url: str | None = None,
    scans: bool = True,
) -> House:
    """Start everything; it is stopped with the stack.

    Args:
        index_url: the catalog's database; its own file unless it is given.
    """
    port = free_port()
    settings = {
        "catalog_url": f"http://127.0.0.1:{port}",
        "registry_host": REGISTRY,
        "policy": Policy(delete=DeletePolicy.OWNERS),
        "signup": signup,
        "switches": switches or Switches(),
    }
    auth = auth_factory(folder, f"sqlite:///{folder / 'auth.db'}", stack)(clock=PresentClock(), **settings)
    calls = Calls()
    auth_url = stack.enter_context(serving(calls.counted(auth.app)))
    index_url = index_url or f"sqlite:///{folder / 'catalog.db'}"
    index = new_index(index_url)
    stack.callback(index.dispose)
    secret = Secret(INTERNAL_SECRET)
    changes = {"internal_secret": secret, "registry_host": REGISTRY, "registry_url": registry_url}
    scanner = make_scanner("http://127.0.0.1:9") if scans else None
    catalog = catalog_settings(folder, auth_url, database_url=Secret(index_url), scanner=scanner, **changes)
    declare_topology(catalog.broker_url)
    catalog_url = stack.enter_context(serving(calls.counted(create_catalog(catalog, index)), port=port))
    notifier = Notifier.start(notifier_settings(folder, catalog.broker_url, auth_url=auth_url, internal_secret=secret))
    stack.callback(notifier.close)
    intake = stack.enter_context(ExitStack())
    notifier_url = intake.enter_context(serving(calls.counted(notifier.app)))
    portal = create_portal(
        PortalSettings(
            auth_url=auth_url,
            catalog_url=catalog_url,
            notifier_url=notifier_url,
            registry_host=REGISTRY,
            internal_secret=secret,
            secret_key=Secret("a-key-that-signs-cookies"),
            cookie_secure=False,
            trusted_proxies=0,
            log_level="INFO",
            serving=ONE_PROCESS,
            anonymous_browsing=anonymous_browsing,
        )
    )
    auth.make_user("admin", administrator=True)
    return House(auth, index, portal, notifier, registry_url, intake.close, calls)


class PresentClock(TestClock):
    """The real time: the portal and the other services keep it."""

    def __call__(self) -> datetime:
        return utc_now()
