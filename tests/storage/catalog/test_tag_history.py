"""What tags pointed at is remembered, shown in order, and forgotten in time."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from services.catalog.domain.history import End, Kind, Period, TagWrite
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.tables import tag_writes
from services.catalog.storage.tag_history import PERIODS, add_writes
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
from tests.support.walking import walk

A, B, C = digest_of("a"), digest_of("b"), digest_of("c")
T = Tag("1.0")


def apply(database: Database, fetcher: ManifestFetcher, *told: Occurrence) -> None:
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=fetcher, clock=utc_now)


def periods(database: Database, tag: str = T, *, visibility: Visibility = EVERYTHING) -> list[Period]:
    page = list_periods(visibility, 1, Tag(tag), ListRequest(PageRequest(per_page=100)), database=database)
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


def walked(database: Database, *, per_page: int) -> list[Period]:
    asked = ListRequest(order=PERIODS.order)
    return list(walk(lambda one: list_periods(EVERYTHING, 1, T, one, database=database), asked, per_page=per_page))


def write(database: Database, writes: Sequence[TagWrite]) -> None:
    with database.write() as connection:
        add_writes(connection, {1: writes})


class TestByKey:
    """What a tag pointed at is walked to its very beginning, and is the same as by number."""

    @pytest.mark.parametrize("seed", range(3))
    def test_is_as_by_number_in_parts_of_any_length(
        self, seed: int, database: Database, no_registry: ManifestFetcher
    ) -> None:
        """Also where several things happened at one moment, and where a digest was deleted under the tag."""
        chance = Random(seed)
        told = [push("1.0", A, 0)]
        for n in range(40):
            at, actor = chance.randrange(30), chance.choice(["jane", "portus"])
            told.append(
                chance.choice(
                    [
                        push("1.0", chance.choice([A, B, C]), at, id=f"{n:02}", actor=actor),
                        delete(at, tag="1.0", id=f"{n:02}", actor=actor),
                        delete(at, digest=chance.choice([A, B, C]), id=f"{n:02}", actor=actor),
                    ]
                )
            )
        apply(database, no_registry, *told)

        assert len(periods(database)) > 5
        assert all(walked(database, per_page=n) == periods(database) for n in (1, 3, 100))

    def test_goes_on_where_the_list_by_number_ends(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 0))
        write(database, [TagWrite(Stamp(moment(n), f"{n}"), T, Kind.PUSHED, (A, B)[n % 2]) for n in range(1, 2500)])

        found = walked(database, per_page=100)

        assert [one.since for one in found] == [moment(n) for n in reversed(range(2500))]
        assert [one.until for one in found[1:]] == [moment(n) for n in reversed(range(1, 2500))]

    def test_shows_once_what_was_pushed_again_and_again(self, database: Database, no_registry: ManifestFetcher) -> None:
        """The writes that are looked at for one part may all be of one digest, or all say that there is none."""
        apply(database, no_registry, push("1.0", A, 0, actor="jane"), delete(1, tag="1.0"), push("1.0", B, 2))
        write(database, [TagWrite(Stamp(moment(n), f"{n}"), T, Kind.PUSHED, B) for n in range(3, 1500)])
        write(database, [TagWrite(Stamp(moment(n), f"{n}"), T, Kind.DELETED) for n in range(1500, 3000)])
        apply(database, no_registry, push("1.0", C, 3000))

        found = walked(database, per_page=10)

        assert [(one.digest, one.end) for one in found] == [(C, None), (B, End.DELETED), (A, End.DELETED)]
        assert (found[1].until, found[2].since, found[2].until) == (moment(1500), moment(0), moment(1))

    def test_of_a_tag_that_never_was_is_not_found(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("latest", A, 1))

        with pytest.raises(TagNotFound):
            walked(database, per_page=1)


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
