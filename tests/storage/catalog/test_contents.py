"""What lies in a repository, however the index came to know of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.contents import list_manifests_of
from services.catalog.storage.tables import configs, manifest_blobs, manifest_labels
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.retry_fetches import retry_fetches
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest, RepositoryName
from tests.conftest import RegistryFactory
from tests.support.catalog import delete, digest_of, envelope_for, push
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Descriptor, Pusher, on
from tests.support.registry import Registry

APP = RepositoryName("team/app")


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def pusher(registry: Registry) -> Pusher:
    return Pusher(registry.url)


@pytest.fixture
def fetcher(registry: Registry, database: Database) -> Iterator[ManifestFetcher]:
    with ExitStack() as stack:
        fetcher = new_fetcher(new_client(registry.url), database)
        stack.callback(fetcher.close)
        yield fetcher


def told_of(tag: str | None, pushed: Descriptor, at: float) -> Occurrence:
    return push(tag, Digest(pushed["digest"]), at, media_type=pushed["mediaType"])


def apply(database: Database, fetcher: ManifestFetcher, *told: Occurrence, budget_s: float = 60) -> None:
    messages = [envelope_for(one) for one in told]
    apply_notifications(messages, database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=budget_s)


def contents(database: Database) -> list[str]:
    with database.read() as connection:
        return list(list_manifests_of(connection, APP))


def nested(pusher: Pusher) -> list[Descriptor]:
    """Push an index in an index; return it with what it holds, outermost first."""
    image = pusher.image(APP)
    inner = pusher.index(APP, None, [on(image, "linux", "amd64")])
    return [pusher.index(APP, "1.0", [inner]), inner, image]


def digests(pushed: list[Descriptor]) -> list[str]:
    return [one["digest"] for one in pushed]


def test_a_push_brings_what_its_index_holds(database: Database, pusher: Pusher, fetcher: ManifestFetcher) -> None:
    pushed = nested(pusher)

    apply(database, fetcher, told_of("1.0", pushed[0], 1))

    assert contents(database) == digests(pushed)


def test_a_crawl_brings_it_too(
    database: Database, registry: Registry, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    pushed = nested(pusher)
    crawler = RepositoryCrawler(database, new_client(registry.url), fetcher, utc_now, Event())

    crawl_registry(crawler, holder="us", database=database, clock=utc_now)

    assert contents(database) == digests(pushed)


def test_and_so_does_a_manifest_that_came_later(database: Database, pusher: Pusher, fetcher: ManifestFetcher) -> None:
    pushed = nested(pusher)
    apply(database, fetcher, told_of("1.0", pushed[0], 1), budget_s=0)
    assert contents(database) == [pushed[0]["digest"]]

    while retry_fetches(database=database, fetcher=fetcher, clock=utc_now):
        pass

    assert contents(database) == digests(pushed)


def test_a_child_that_was_deleted_by_itself_is_gone_whenever_that_was_told(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    child = pusher.image(APP)
    index = pusher.index(APP, "1.0", [on(child, "linux", "amd64")])

    apply(database, fetcher, delete(5, digest=Digest(child["digest"])))
    apply(database, fetcher, told_of("1.0", index, 1))

    assert contents(database) == [index["digest"]]


class TestWhatAnIndexOnlyClaims:
    """A registry may hold an index whose child is not there; whose child it is elsewhere is nobody's business."""

    @pytest.fixture
    def pushed(
        self, database: Database, pusher: Pusher, fetcher: ManifestFetcher, crawler: RepositoryCrawler
    ) -> list[Descriptor]:
        """An index and its child, which another repository that is indexed already holds, too."""
        child = pusher.image("private/app", "child")
        crawler.crawl(RepositoryName("private/app"))
        pusher.copy_image("private/app", "child", APP)
        return [pusher.index(APP, "1.0", [on(child, "linux", "amd64")]), child]

    @pytest.fixture
    def crawler(self, database: Database, registry: Registry, fetcher: ManifestFetcher) -> RepositoryCrawler:
        return RepositoryCrawler(database, new_client(registry.url), fetcher, utc_now, Event())

    @pytest.mark.parametrize("way", ["push", "crawl"])
    def test_does_not_lie_there_when_the_registry_does_not_have_it(
        self,
        way: str,
        pushed: list[Descriptor],
        database: Database,
        pusher: Pusher,
        fetcher: ManifestFetcher,
        crawler: RepositoryCrawler,
    ) -> None:
        pusher.delete(APP, pushed[1]["digest"])

        if way == "push":
            apply(database, fetcher, told_of("1.0", pushed[0], 1))
        else:
            crawler.crawl(APP)

        assert contents(database) == [pushed[0]["digest"]]
        assert retry_fetches(database=database, fetcher=fetcher, clock=utc_now) == 1
        assert contents(database) == [pushed[0]["digest"]]

    def test_lies_there_once_the_registry_has_confirmed_it(
        self, pushed: list[Descriptor], database: Database, fetcher: ManifestFetcher
    ) -> None:
        apply(database, fetcher, told_of("1.0", pushed[0], 1))
        assert contents(database) == [pushed[0]["digest"]]

        while retry_fetches(database=database, fetcher=fetcher, clock=utc_now):
            pass

        assert contents(database) == digests(pushed)

    def test_is_asked_for_again_when_the_registry_was_away(
        self, pushed: list[Descriptor], database: Database, fetcher: ManifestFetcher, no_registry: ManifestFetcher
    ) -> None:
        apply(database, fetcher, told_of("1.0", pushed[0], 1))

        assert retry_fetches(database=database, fetcher=no_registry, clock=utc_now) == 1

        assert contents(database) == [pushed[0]["digest"]]
        later = utc_now() + timedelta(hours=1)
        assert retry_fetches(database=database, fetcher=fetcher, clock=lambda: later) == 1
        assert contents(database) == digests(pushed)


def test_an_untagged_manifest_stays_until_its_digest_is_deleted(
    database: Database, no_registry: ManifestFetcher
) -> None:
    old, new = digest_of("old"), digest_of("new")
    apply(database, no_registry, push("1.0", old, 1), push("1.0", new, 2), push(None, digest_of("referrer"), 3))
    assert set(contents(database)) == {old, new, digest_of("referrer")}

    apply(database, no_registry, delete(4, digest=old), delete(5, tag="1.0"))

    assert set(contents(database)) == {new, digest_of("referrer")}


def test_what_a_manifest_is_made_of_and_says_is_kept(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    image = pusher.image(
        APP, "1.0", layer_bytes=(100, 200), config={"Labels": {"version": "1.0"}}, annotations={"note": "hello"}
    )

    apply(database, fetcher, told_of("1.0", image, 1))

    manifest = pusher.read(APP, "1.0")
    with database.read() as connection:
        blobs = connection.execute(
            select(manifest_blobs.c.digest, manifest_blobs.c.size_bytes).order_by(manifest_blobs.c.position)
        ).all()
        labels = connection.execute(select(manifest_labels)).all()
        ((config, body),) = connection.execute(select(configs)).all()
    assert blobs == [(one["digest"], one["size"]) for one in (manifest["config"], *manifest["layers"])]
    assert {tuple(row) for row in labels} == {
        (image["digest"], False, "version", "1.0"),
        (image["digest"], True, "note", "hello"),
    }
    assert (config, len(body)) == (manifest["config"]["digest"], manifest["config"]["size"])
