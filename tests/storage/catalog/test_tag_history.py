"""What tags pointed at is remembered, shown in order, and forgotten in time."""

from datetime import timedelta
from random import Random
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from services.catalog.domain.history import End, Period
from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.tables import tag_writes
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse_history import list_history, list_periods
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.not_found import RepositoryNotFound, TagNotFound
from services.catalog.usecases.purge_history import purge_history
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Tag
from shared.visibility.answers import Visibility
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import EVERYTHING, shown_repositories
from tests.support.catalog import NOON, delete, digest_of, envelope_for, moment, push
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Pusher

A, B, C = digest_of("a"), digest_of("b"), digest_of("c")
T = Tag("1.0")


def apply(database: Database, fetcher: ManifestFetcher, *told: Occurrence) -> None:
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=fetcher, clock=utc_now)


def periods(database: Database, tag: str = T, *, visibility: Visibility = EVERYTHING) -> list[Period]:
    page = list_periods(visibility, 1, Tag(tag), PageRequest(per_page=100), database=database)
    return list(page.rows)


def history(database: Database, **filters: Any) -> list[tuple[str, str, str | None]]:
    rows = list_history(EVERYTHING, 1, ListRequest(PageRequest(per_page=100), filters=filters), database=database).rows
    return [(row.tag, row.kind, row.actor) for row in rows]


STORY = [
    push("1.0", A, 1, actor="jane"),
    push("1.0", B, 2, actor="joe"),
    push("latest", B, 3, actor="joe"),
    delete(4, digest=B, actor="jane"),
    delete(4.1, tag="1.0", actor="jane"),
    delete(4.2, tag="latest", actor="jane"),
    push("1.0", C, 5, actor="joe"),
]


def test_a_tag_says_what_it_pointed_at_newest_first(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry, *STORY)

    assert periods(database) == [
        Period(C, moment(5), "joe", True),
        Period(B, moment(2), "joe", True, moment(4), End.DELETED, "jane"),
        Period(A, moment(1), "jane", True, moment(2), End.OVERWRITTEN, "joe"),
    ]
    assert periods(database, "latest") == [Period(B, moment(3), "joe", True, moment(4), End.DELETED, "jane")]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_same_in_whatever_order_and_how_often_it_was_told(
    seed: int, database: Database, no_registry: ManifestFetcher
) -> None:
    told = STORY * 2
    Random(seed).shuffle(told)

    for one in told:
        apply(database, no_registry, one)

    assert [one.digest for one in periods(database)] == [C, B, A]
    assert [one.end for one in periods(database)] == [None, End.DELETED, End.OVERWRITTEN]


def test_a_repository_says_what_was_done_to_its_tags(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry, *STORY)

    assert history(database, tag="latest") == [
        ("latest", "pushed", "joe"),
        # By the digest, and by the registry's word for each tag.
        ("latest", "deleted", "jane"),
        ("latest", "deleted", "jane"),
    ]
    assert len(history(database)) == 8


def test_what_a_crawl_finds_is_seen_and_not_pushed(database: Database, registry_factory: RegistryFactory) -> None:
    registry = registry_factory()
    image = Pusher(registry.url).image("team/app", "1.0")
    client = new_client(registry.url)
    fetcher = new_fetcher(client, database)
    crawler = RepositoryCrawler(database, client, fetcher, utc_now, Event())

    for _ in range(2):
        crawl_registry(crawler, holder="us", database=database, clock=utc_now)
    fetcher.close()

    (only,) = periods(database)
    assert (only.digest, only.pushed_by, only.is_witnessed, only.end) == (image["digest"], None, False, None)


def test_the_history_of_an_emptied_repository_is_still_there(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry, push("1.0", A, 1), delete(2, tag="1.0"))
    assert shown_repositories(database) == []

    assert [one.end for one in periods(database)] == [End.DELETED]


def test_nobody_else_sees_it(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry, push("1.0", A, 1))

    with pytest.raises(RepositoryNotFound):
        periods(database, visibility=Visibility(namespaces=("other",)))
    with pytest.raises(TagNotFound):
        periods(database, "missing")


class TestPurge:
    """Old history is forgotten, and what there was at the end of it is kept."""

    def purge(self, database: Database, *, at: float, keep: timedelta = timedelta(seconds=10)) -> None:
        now = NOON + timedelta(seconds=at)
        while purge_history(database=database, clock=lambda: now, tag_history=keep):
            pass

    def count(self, database: Database) -> int:
        with database.read() as connection:
            return connection.execute(select(func.count()).select_from(tag_writes)).scalar_one()

    def test_what_was_over_before_goes(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, *(push("1.0", digest, at) for at, digest in enumerate([A, B, C, A])))

        self.purge(database, at=12.5)

        assert [one.digest for one in periods(database)] == [A, C]

    def test_what_it_pointed_at_last_stays_however_old(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1), push("1.0", B, 2))

        self.purge(database, at=10**6)

        assert [(one.digest, one.end) for one in periods(database)] == [(B, None)]

    def test_what_is_gone_for_long_leaves_nothing(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, *STORY[:-1], push("other", A, 6), delete(7, digest=A))

        self.purge(database, at=10**6)

        assert self.count(database) == 0

    def test_for_ever_is_for_ever(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, *STORY)
        before = self.count(database)

        purge_history(database=database, clock=lambda: NOON + timedelta(days=10**5), tag_history=None)

        assert self.count(database) == before
