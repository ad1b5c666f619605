"""What we do in a registry, when only the registry lives to tell of it: real notifications of a real 2.8.

The registry lets everybody in; the listener gives our requests the name that their token would.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest
import requests
from sqlalchemy import select
from werkzeug import Request, Response

from services.catalog.domain import throwaway
from services.catalog.domain.deletions import TagPlace
from services.catalog.domain.drift import Kind
from services.catalog.domain.errands import find_errand
from services.catalog.domain.history import Period
from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.deletion_queries import find_tag
from services.catalog.storage.immutability import find_due
from services.catalog.storage.tables import activity, outbox, tags
from services.catalog.storage.tag_history import WRITES
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse_history import list_history, list_periods
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.immutability import ImmutabilityDesk, Terms
from services.catalog.usecases.record_changes import record_changes
from services.catalog.usecases.registry import RegistryUnavailable
from services.catalog.usecases.restore_tag import TagRestorer
from shared.api.paging import ListRequest, PageRequest
from shared.clock import Clock, utc_now
from shared.contracts.events import Envelope
from shared.database import Database
from shared.oci.media_types import OCI_MANIFEST
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Caller, Visibility
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import EVERYTHING, remembered, shown_index, shown_tags
from tests.support.catalog import delete, digest_of, envelope_for, message_of, own, push
from tests.support.catalog_clients import ERRAND, new_client
from tests.support.images import Pusher
from tests.support.registry import Registry
from tests.support.registry_proxy import RegistryProxy, refuses
from tests.support.serving import serving
from tests.support.waiting import wait_until

APP, T = RepositoryName("team/app"), Tag("1.0")
OLD, NEW = digest_of("old"), digest_of("new")
ROOT = Visibility(everything=True, caller=Caller("root", "person", administrator=True))


class Killed(BaseException):
    """The process has ended."""


class Ear:
    """Hears what a registry tells."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []
        self._taken = 0

    def app(self) -> Callable[..., object]:
        return Request.application(self._hear)

    def take(self, count: int) -> list[Envelope]:
        """Return the next writes of manifests, when so many have come."""
        wait_until(lambda: len(self._writes()) >= self._taken + count, what=lambda: f"{count} of {self._writes()}")
        new = self._writes()[self._taken :]
        self._taken += len(new)
        return [_named(message_of(event)) for event in new]

    def _writes(self) -> Sequence[dict[str, Any]]:
        return [
            event
            for event in self._events
            if event["action"] in ("push", "delete") and event["target"].get("mediaType") != "application/octet-stream"
        ]

    def _hear(self, request: Request) -> Response:
        self._events += request.get_json(force=True)["events"]
        return Response("")


def _named(envelope: Envelope) -> Envelope:
    is_ours = str(envelope.data.get("user_agent", "")).startswith("portus-catalog")
    return replace(envelope, data={**envelope.data, "actor": "portus" if is_ours else "joe"})


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def registry(ear: Ear, registry_factory: RegistryFactory) -> Iterator[Registry]:
    with serving(ear.app()) as url:
        endpoint = {"name": "ear", "url": url, "timeout": "5s", "threshold": 5, "backoff": "100ms"}
        yield registry_factory({"notifications": {"endpoints": [endpoint]}})


@pytest.fixture
def proxy(registry: Registry) -> RegistryProxy:
    return RegistryProxy(registry.url)


@pytest.fixture
def hear(ear: Ear, database: Database, no_registry: ManifestFetcher) -> Callable[[int], None]:
    """A function that applies the registry's next notifications of writes."""

    def hear(count: int) -> None:
        apply_notifications(ear.take(count), database=database, fetcher=no_registry, clock=utc_now)

    return hear


@pytest.fixture
def moved(pusher: Pusher, hear: Callable[[int], None]) -> Digest:
    """A tag that was overwritten; the digest at which it was before."""
    old = Digest(pusher.image(APP, T)["digest"])
    pusher.image(APP, T)
    hear(2)
    return old


def dying(*, after: int) -> Clock:
    """Return a clock at which whoever looks at it so many times more ends."""
    left = iter(range(after))

    def clock() -> datetime:
        if next(left, None) is None:
            raise Killed
        return utc_now()

    return clock


def restore(database: Database, registry: Registry, digest: Digest, *, clock: Clock = utc_now) -> None:
    TagRestorer(database, new_client(registry.url), clock).put(APP, 1, T, digest, actor="jane")


def periods(database: Database, tag: str = T, *, repository: int = 1) -> list[Period]:
    page = list_periods(EVERYTHING, repository, Tag(tag), ListRequest(PageRequest(per_page=100)), database=database)
    return list(page.rows)


def history(database: Database, repository: int = 1) -> list[tuple[str, str, str | None, str | None]]:
    request = ListRequest(PageRequest(per_page=100), WRITES.order)
    rows = list_history(EVERYTHING, repository, request, database=database).rows
    return [(row.tag, row.kind, row.digest, row.actor) for row in rows]


def place_of(database: Database, name: str) -> TagPlace:
    with database.read() as connection:
        number = connection.scalar(select(tags.c.id).where(tags.c.name == name))
        place = find_tag(connection, EVERYTHING, number or 0)
    assert place
    return place


class TestRestores:
    """Manifests that are put under tags."""

    def test_one_that_was_not_written_down_is_in_the_index_all_the_same(
        self, database: Database, registry: Registry, moved: Digest, hear: Callable[[int], None]
    ) -> None:
        with pytest.raises(Killed):
            restore(database, registry, moved, clock=dying(after=0))
        assert shown_index(database)[APP][T] != moved

        hear(1)

        assert shown_index(database) == {APP: {T: moved}}
        assert [tag.pushed_by for tag in shown_tags(database, APP)] == ["jane"]
        assert [(one.pushed_by, one.digest == moved) for one in periods(database)] == [
            ("jane", True),
            ("joe", False),
            ("joe", True),
        ]
        assert history(database)[0] == (T, "pushed", moved, "jane")

    def test_one_that_was_is_written_down_once(
        self, database: Database, registry: Registry, moved: Digest, hear: Callable[[int], None]
    ) -> None:
        restore(database, registry, moved)
        before = history(database), _told(database)

        hear(1)

        assert (history(database), _told(database)) == before
        assert [one[3] for one in before[0]] == ["jane", "joe", "joe"]
        assert [one.pushed_by for one in periods(database)] == ["jane", "joe", "joe"]

    def test_it_counts_as_no_push(
        self, database: Database, registry: Registry, moved: Digest, hear: Callable[[int], None]
    ) -> None:
        restore(database, registry, moved)
        hear(1)

        with database.read() as connection:
            assert list(connection.scalars(select(activity.c.pushes))) == [2]


BETWEEN = digest_of("between")
OURS = [own(1, push("1.0", OLD, 3)), own(1, push("1.0", OLD, 3.4))]
BEFORE = [push("1.0", OLD, 1, actor="joe"), push("1.0", NEW, 2, actor="joe"), *OURS]


@pytest.mark.parametrize(
    ("other", "ends"),
    [
        pytest.param(push("1.0", BETWEEN, 4, actor="joe"), [(OLD, "jane"), (BETWEEN, "joe")], id="moved later"),
        pytest.param(push("1.0", BETWEEN, 3.2, actor="joe"), [(BETWEEN, "joe"), (OLD, "jane")], id="moved between"),
    ],
)
def test_the_index_and_the_history_are_the_same_in_every_order(
    other: Occurrence, ends: list[tuple[Digest, str]], database: Database, no_registry: ManifestFetcher
) -> None:
    """What we did is written down when we asked for it, and told by the registry when it was done."""
    orders = list(permutations([*BEFORE, other]))[::5]

    for order in orders:
        for one in order:
            _tell(replace(one, repository=RepositoryName(f"team/app-{orders.index(order)}")), database, no_registry)

    for number in range(len(orders)):
        (tag,) = shown_tags(database, f"team/app-{number}")
        assert (tag.digest, tag.pushed_by) == ends[-1]
        found = [(one.digest, one.pushed_by) for one in reversed(periods(database, repository=number + 1))]
        assert found == [(OLD, "joe"), (NEW, "joe"), *ends]
        assert len(history(database, number + 1)) == len(found)


def _tell(one: Occurrence, database: Database, fetcher: ManifestFetcher) -> None:
    if one.stamp.is_own and one.stamp.time.microsecond == 0:
        record_changes([one], database=database, clock=utc_now)
        return
    told = envelope_for(one)
    told = replace(told, id=f"{told.id}-{one.repository}")
    apply_notifications([told], database=database, fetcher=fetcher, clock=utc_now)


def _told(database: Database) -> list[str]:
    with database.read() as connection:
        return [envelope["id"] for envelope in connection.scalars(select(outbox.c.envelope))]


def test_an_overwrite_of_what_we_put_is_noticed_once(database: Database, no_registry: ManifestFetcher) -> None:
    desk = ImmutabilityDesk(ROOT, lambda repository, actions: {}, database, utc_now)
    desk.add_rule(Terms("team", ["*"], ["1.*"], restores=False))
    put, moves, heard = own(1, push("1.0", OLD, 1)), push("1.0", NEW, 2, actor="joe"), own(1, push("1.0", OLD, 1.4))

    record_changes([put], database=database, clock=utc_now)
    for one in (moves, heard):
        _tell(one, database, no_registry)

    with database.read() as connection:
        told = [envelope["type"] for envelope in connection.scalars(select(outbox.c.envelope))]
        assert find_due(connection, now=utc_now()) is None
    assert told.count("catalog.tag.overwritten.v1") == 1


class TestUnmarked:
    """A proxy in front of the registry may take the mark from our requests: then our account is all that is known."""

    @pytest.mark.parametrize("is_heard_first", [False, True])
    def test_who_wanted_it_is_named_by_what_we_wrote_down(
        self, is_heard_first: bool, database: Database, no_registry: ManifestFetcher
    ) -> None:
        _tell(push("1.0", OLD, 1, actor="joe"), database, no_registry)
        _tell(push("1.0", NEW, 2, actor="joe"), database, no_registry)
        both = [own(1, push("1.0", OLD, 3)), push("1.0", OLD, 3.2, actor="portus")]

        for one in reversed(both) if is_heard_first else both:
            _tell(one, database, no_registry)

        assert [tag.pushed_by for tag in shown_tags(database, APP)] == ["jane"]
        assert [one.pushed_by for one in periods(database)] == ["jane", "joe", "joe"]
        assert [one[3] for one in history(database)] == ["jane", "joe", "joe"]

    def test_what_only_the_registry_tells_of_has_no_author(
        self, database: Database, no_registry: ManifestFetcher
    ) -> None:
        for one in (push("1.0", OLD, 1, actor="joe"), push("1.0", NEW, 2, actor="portus")):
            _tell(one, database, no_registry)

        assert [(tag.digest, tag.pushed_by) for tag in shown_tags(database, APP)] == [(NEW, None)]
        assert [(one.digest, one.pushed_by) for one in periods(database)] == [(NEW, None), (OLD, "joe")]
        assert history(database)[0] == ("1.0", "pushed", NEW, "portus")


class TestDeletions:
    """Manifests and tags that go."""

    def test_one_that_was_not_written_down_is_in_the_index_all_the_same(
        self, database: Database, registry: Registry, moved: Digest, hear: Callable[[int], None]
    ) -> None:
        deleter = ContentDeleter(database, new_client(registry.url), dying(after=1))
        with pytest.raises(Killed):
            deleter.delete_tag("jane", place_of(database, T))
        assert shown_index(database) != {}

        hear(2)

        assert shown_index(database) == {}
        assert (periods(database)[0].end, periods(database)[0].ended_by) == ("deleted", "jane")

    def test_nor_is_one_by_a_throw_away_manifest_lost(
        self, database: Database, registry: Registry, pusher: Pusher, moved: Digest, hear: Callable[[int], None]
    ) -> None:
        pusher.retag(APP, T, "latest")
        hear(1)
        deleter = ContentDeleter(database, new_client(registry.url), dying(after=2))
        with pytest.raises(Killed):
            deleter.delete_tag("jane", place_of(database, "latest"))

        hear(3)

        assert list(shown_index(database)[APP]) == [T]
        assert [(one.pushed_by, one.ended_by) for one in periods(database, "latest")] == [("joe", "jane")]
        assert throwaway.DIGEST not in str(history(database)) + str(remembered(database))

    def test_what_is_put_back_stays_its_pushers(
        self,
        database: Database,
        proxy: RegistryProxy,
        pusher: Pusher,
        moved: Digest,
        hear: Callable[[int], None],
    ) -> None:
        pusher.retag(APP, T, "latest")
        hear(1)
        before = history(database), periods(database, "latest"), shown_tags(database, APP)
        proxy.refuse = refuses(500, "DELETE", throwaway.DIGEST)
        with serving(proxy.app()) as url, pytest.raises(RegistryUnavailable):
            ContentDeleter(database, new_client(url), utc_now).delete_tag("jane", place_of(database, "latest"))

        hear(2)

        after = history(database), periods(database, "latest"), shown_tags(database, APP)
        assert [after[0], after[1]] == [before[0], before[1]]
        assert [(tag.name, tag.digest, tag.pushed_by) for tag in after[2]] == [
            (tag.name, tag.digest, tag.pushed_by) for tag in before[2]
        ]

    @pytest.mark.parametrize("is_known", [True, False])
    def test_a_crawl_takes_no_throw_away_manifest_for_a_tags(
        self,
        is_known: bool,
        database: Database,
        registry: Registry,
        pusher: Pusher,
        moved: Digest,
        hear: Callable[[int], None],
        crawler: RepositoryCrawler,
    ) -> None:
        """It comes by while a tag is deleted, or after the deletion has broken off half-way."""
        name = T if is_known else "unheard"
        before = shown_index(database), history(database)
        pusher.blob(APP, throwaway.CONFIG, "any")
        put = {"Content-Type": throwaway.MEDIA_TYPE}
        url = f"{registry.url}/v2/{APP}/manifests/{name}"
        requests.put(url, data=throwaway.BODY, headers=put, timeout=20).raise_for_status()
        hear(1)

        crawled = crawler.crawl(APP)

        assert (Kind.DANGLING_TAG, name) in [(one.kind, one.tag) for one in crawled.findings]
        assert (shown_index(database), history(database)) == (
            before if is_known else ({APP: {T: before[0][APP][T]}}, before[1])
        )


def test_a_deletion_of_ours_is_told_once_for_each_tag(database: Database, no_registry: ManifestFetcher) -> None:
    told = [
        push("1.0", OLD, 1, actor="joe"),
        own(1, delete(2, digest=OLD)),
        own(1, delete(2.2, digest=OLD)),
        own(1, delete(2.3, tag="1.0")),
    ]

    for number, order in enumerate(permutations(told)):
        name = RepositoryName(f"team/app-{number}")
        for one in order:
            _tell(replace(one, repository=name), database, no_registry)
        assert [(one[1], one[3]) for one in history(database, number + 1)] == [("deleted", "jane"), ("pushed", "joe")]


def test_the_registry_is_told_for_whom(registry: Registry, ear: Ear, pusher: Pusher) -> None:
    """2.8 repeats the User-Agent of our requests, and the notifier passes it on."""
    image = Digest(pusher.image(APP, T)["digest"])
    ear.take(1)
    client, errand = new_client(registry.url), replace(ERRAND, actor="jane (ops) & söhne")
    raw = client.get_manifest(APP, T)

    client.put_manifest(APP, T, raw.body, OCI_MANIFEST, errand)

    (heard,) = ear.take(1)
    assert heard.data["digest"] == image
    assert find_errand(heard.data["user_agent"]) == errand
