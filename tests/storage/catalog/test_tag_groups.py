"""Tags by digest, on both databases."""

from collections.abc import Sequence
from dataclasses import replace

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.tag_queries import list_groups, list_tags
from services.catalog.storage.tag_rows import GROUPS, TAGS, TagRow
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.api.paging import ListRequest, Order, Page, PageRequest
from shared.api.slices import Slice
from shared.clock import utc_now
from shared.database import Database
from tests.storage.catalog.snapshots import EVERYTHING
from tests.support.catalog import delete, digest_of, envelope_for, pull, push
from tests.support.walking import walk

A, B = digest_of("a"), digest_of("b")


def test_groups_are_ordered_by_their_newest_tag(database: Database, no_registry: ManifestFetcher) -> None:
    signature = B.replace(":", "-") + ".sig"
    told = [
        push("1.0", A, 1),
        push("2.0", B, 2),
        push("latest", A, 3),
        push("gone", B, 4),
        delete(5, tag="gone"),
        push(signature, digest_of("s"), 6),
    ]
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=no_registry, clock=utc_now)

    with database.read() as connection:
        page = list_groups(connection, EVERYTHING, 1, ListRequest(order=GROUPS.order))

    assert isinstance(page, Page)
    assert ([[tag.name for tag in group] for group in page.rows], page.total) == ([["latest", "1.0"], ["2.0"]], 2)


def test_tags_of_several_repositories_keep_their_own_facts(database: Database, no_registry: ManifestFetcher) -> None:
    signature = A.replace(":", "-") + ".sig"
    told = [
        push("1.0", A, 1, repository="team/app"),
        push("1.0", A, 2, repository="team/web"),
        push(signature, digest_of("s"), 3, repository="team/web"),
        pull(A, 4, tag="1.0", repository="team/web"),
    ]
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=no_registry, clock=utc_now)

    with database.read() as connection:
        rows = list_tags(connection, EVERYTHING, ListRequest(order=TAGS.order)).rows

    assert [(row.repository, row.pulls, row.referrers) for row in rows] == [("team/web", 1, 1), ("team/app", 0, 0)]


def test_groups_are_walked_by_key_and_none_twice_or_never(database: Database, no_registry: ManifestFetcher) -> None:
    """At one moment, too, for which the order is that of the tags' ids."""
    told = [push(f"{n}", digest_of(f"{n % 5}"), n // 3, id=f"{n}") for n in range(12)]
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=no_registry, clock=utc_now)

    for asked in (ListRequest(order=GROUPS.order), ListRequest(order=Order("digest"))):
        with database.read() as connection:
            numbered = list_groups(connection, EVERYTHING, 1, asked)
            walked = list(walk(lambda one: list_groups(connection, EVERYTHING, 1, one), asked, per_page=2))
        assert len(numbered.rows) == 5
        assert walked == list(numbered.rows)


def test_a_group_that_is_written_to_meanwhile_moves_none_that_is_still_to_come(
    database: Database, no_registry: ManifestFetcher
) -> None:
    def tell(*told: Occurrence) -> None:
        apply_notifications([envelope_for(one) for one in told], database=database, fetcher=no_registry, clock=utc_now)

    def fetch(asked: ListRequest) -> Slice[Sequence[TagRow]]:
        with database.read() as connection:
            part = list_groups(connection, EVERYTHING, 1, asked)
        assert isinstance(part, Slice)
        return part

    tell(*(push(f"{n}", digest_of(f"{n}"), n) for n in range(4)))
    asked = ListRequest(PageRequest(per_page=2), GROUPS.order, by_key=True)
    first = fetch(asked)
    tell(push("new", digest_of("3"), 10), push("newest", digest_of("new"), 11))
    rest = fetch(replace(asked, after=first.following))

    assert [[tag.name for tag in group] for group in (*first.rows, *rest.rows)] == [["3"], ["2"], ["1"], ["0"]]
