"""The worker: everything it does, with a real registry and both brokers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select

from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.domain.rounds import CrawlKind, Rhythm, Strategy
from services.catalog.settings import Settings
from services.catalog.storage.crawls import open_crawl, save_crawl
from services.catalog.storage.loss_windows import open_window
from services.catalog.storage.retention import find_environment_rule
from services.catalog.storage.tables import paces
from services.catalog.usecases.browse import get_freshness
from services.catalog.usecases.rounds import find_due_crawl
from services.catalog.worker import run_worker
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import Envelope, TokenPushGranted, envelope_of
from shared.database import Database
from shared.messaging.consumer import Delivery, consume
from shared.messaging.publisher import Publisher
from shared.messaging.topology import CATALOG_NOTIFICATIONS, QueueSpec, declare_topology, queue_length
from shared.oci.names import Digest, RepositoryName
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_index, shown_tags
from tests.support.catalog import NOON, delete, digest_of, envelope_for, make_scanner, push
from tests.support.images import Pusher
from tests.support.little_token_server import Signer, TokenServer
from tests.support.registry import Registry
from tests.support.scanner_adapter import Adapter
from tests.support.serving import serving
from tests.support.waiting import wait_until

TAG_EVENTS = QueueSpec("tests.tags", ("catalog.tag.pushed.v1", "catalog.tag.deleted.v1"))


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def settings(catalog_settings: Settings, registry: Registry, broker_url: Secret) -> Settings:
    declare_topology(broker_url)
    return replace(catalog_settings, registry_url=registry.url, broker_url=broker_url)


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Run a worker in this process."""
    stop = Event()
    worker = Thread(target=run_worker, args=(settings, stop))
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(30)
    assert not worker.is_alive()


def publish(broker_url: Secret, *envelopes: Envelope) -> None:
    publisher = Publisher(broker_url)
    publisher.publish(envelopes)
    publisher.close()


def test_notifications_become_the_index(settings: Settings, index: Database, registry: Registry) -> None:
    image = Pusher(registry.url).image("team/app", "1.0")
    with working(settings):
        publish(settings.broker_url, envelope_for(push("1.0", Digest(image["digest"]), 1)))

        wait_until(lambda: any(tag.known for tag in shown_tags(index, "team/app")), what="the tag and its manifest")

    assert shown_index(index) == {"team/app": {"1.0": image["digest"]}}


def test_the_garbage_collector_of_the_environment_is_a_rule_as_long_as_it_is_on(
    settings: Settings, index: Database
) -> None:
    def terms() -> Any:
        with index.read() as connection:
            rule = find_environment_rule(connection)
        return rule and rule.terms

    with working(replace(settings, garbage_collector={"keep_newest": 7})):
        wait_until(lambda: terms() == {"keep_newest": 7}, what="the rule is there")
    with working(settings):
        wait_until(lambda: terms() is None, what="the rule is gone")


def test_an_invalid_message_takes_no_other_with_it(settings: Settings, index: Database) -> None:
    bad = Envelope("bad", "/notifier", "registry.notification.v1", NOON, {"action": "push", "repository": "NO"})
    good = [envelope_for(push(f"{n}.0", digest_of("a"), n)) for n in range(3)]
    publish(settings.broker_url, good[0], bad, *good[1:])

    with working(settings):
        wait_until(lambda: len(shown_tags(index, "team/app")) == 3, what="the good ones are shown")
        dead = CATALOG_NOTIFICATIONS.dead_name
        wait_until(lambda: queue_length(settings.broker_url, dead) == 1, what="the bad one is a dead letter")


def test_changes_of_tags_are_told(settings: Settings, index: Database) -> None:
    declare_topology(settings.broker_url, [TAG_EVENTS])
    told: list[Delivery] = []
    stop = Event()
    listener = Thread(target=consume, args=(settings.broker_url, TAG_EVENTS, told.extend), kwargs={"stop": stop})
    listener.start()
    publish(settings.broker_url, *map(envelope_for, (push("1.0", digest_of("a"), 1), delete(2, tag="1.0"))))

    with working(settings):
        wait_until(lambda: len(told) == 2, what="both changes are told")
    stop.set()
    listener.join()

    assert [(one.envelope.type, one.envelope.source, one.envelope.subject) for one in told] == [
        ("catalog.tag.pushed.v1", "/catalog", "team/app"),
        ("catalog.tag.deleted.v1", "/catalog", "team/app"),
    ]


def test_what_is_pushed_is_scanned(settings: Settings, index: Database, registry: Registry) -> None:
    image, adapter = Pusher(registry.url).image("team/app", "1.0"), Adapter()
    tokens = TokenServer(Signer(), settings.service_account_secret.reveal(), settings.registry_service)
    with serving(adapter.app()) as url, serving(tokens.app()) as auth_url:
        scanner = make_scanner(url, registry_url=registry.url)
        with working(replace(settings, auth_url=auth_url, scanner=scanner)):
            publish(settings.broker_url, envelope_for(push("1.0", Digest(image["digest"]), 1)))

            wait_until(lambda: adapter.pulled, what="the scanner pulls")
            wait_until(lambda: [tag.scan.total for tag in shown_tags(index, "team/app")] == [0], what="the report")


def test_tokens_that_allow_a_push_are_remembered(settings: Settings, index: Database) -> None:
    granted = TokenPushGranted("team/app", NOON.isoformat(), NOON.isoformat())
    publish(settings.broker_url, envelope_of(granted, id="a", source="/auth", time=NOON))

    with working(settings):
        wait_until(lambda: open_windows(index), what="nothing was pushed with it, and that was noticed")

    assert open_windows(index) == ["silent_push"]


def open_windows(index: Database) -> list[str]:
    loss = get_freshness(database=index).possible_loss
    return list(loss.reasons) if loss else []


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [(Strategy.INITIAL, None), (Strategy.ON_START, CrawlKind.ROUND), (Strategy.UPDATE, None)],
)
def test_case_69_what_comes_after_the_first_crawl(index: Database, strategy: Strategy, kind: CrawlKind | None) -> None:
    def due() -> CrawlKind | None:
        return find_due_crawl(Rhythm(strategy), first=True, started_at=utc_now(), database=index, clock=utc_now)

    assert due() is CrawlKind.FIRST
    with index.write() as connection:
        crawl = open_crawl(connection, CrawlKind.FIRST, now=utc_now())
        save_crawl(connection, crawl, {}, position=None, finished_at=utc_now())

    assert due() is kind


@pytest.mark.parametrize("broker_url", ["sqlite"], indirect=True)
class TestOnItsOwn:
    """What the worker does without being told."""

    def test_what_the_registry_held_is_taken_over(
        self, settings: Settings, index: Database, registry: Registry
    ) -> None:
        Pusher(registry.url).image("team/old", "1.0")

        with working(replace(settings, crawl_on_empty=True)):
            wait_until(lambda: get_freshness(database=index).crawled_at, what="the first crawl has ended")

        assert list(shown_index(index)) == ["team/old"]

    def test_unless_it_is_told_not_to(self, settings: Settings, index: Database, registry: Registry) -> None:
        Pusher(registry.url).image("team/old", "1.0")

        with working(settings):
            publish(settings.broker_url, envelope_for(push("1.0", digest_of("a"), 1, repository="team/new")))
            wait_until(lambda: shown_index(index), what="the worker works")

        assert list(shown_index(index)) == ["team/new"]

    def test_what_changes_behind_our_back_is_found_by_the_next_round(
        self, settings: Settings, index: Database, registry: Registry
    ) -> None:
        pusher = Pusher(registry.url)
        pusher.image("team/old", "1.0")
        rhythm = Rhythm(Strategy.UPDATE, every=timedelta(seconds=1))

        with working(replace(settings, crawl_on_empty=True, rhythm=rhythm, crawl_rate=50)):
            wait_until(lambda: get_freshness(database=index).crawled_at, what="the first crawl has ended")
            pusher.image("team/new", "1.0")
            wait_until(lambda: "team/new" in shown_index(index), what="a round has found it")

    @pytest.mark.parametrize("concerned", [None, frozenset({RepositoryName("team/app")})])
    @pytest.mark.parametrize("rate", [0, 1000])
    def test_what_is_read_after_a_loss_keeps_to_the_pace(
        self,
        concerned: frozenset[RepositoryName] | None,
        rate: int,
        settings: Settings,
        index: Database,
        registry: Registry,
    ) -> None:
        Pusher(registry.url).image("team/app", "1.0")
        then = utc_now() - timedelta(minutes=1)
        with index.write() as connection:
            open_window(connection, Suspicion("r", Reason.SILENT_PUSH, then, then, concerned), now=then)

        with working(replace(settings, crawl_rate=rate)):
            wait_until(lambda: not open_windows(index), what="the window is closed")

        assert list(shown_index(index)) == ["team/app"]
        with index.read() as connection:
            places = connection.scalars(select(paces.c.name)).all()
        assert places == (["registry"] if rate else [])

    def test_a_manifest_that_did_not_come_is_fetched_later(
        self, settings: Settings, index: Database, registry: Registry
    ) -> None:
        image = Pusher(registry.url).image("team/app", "1.0")
        registry.stop()
        with working(settings):
            publish(settings.broker_url, envelope_for(push("1.0", Digest(image["digest"]), 1)))
            wait_until(lambda: shown_index(index), what="the tag is shown")
            assert not shown_tags(index, "team/app")[0].known

            registry.start()

            wait_until(lambda: shown_tags(index, "team/app")[0].known, what="its manifest is known")
