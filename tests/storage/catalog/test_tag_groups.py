"""Tags by digest, on both databases."""

from services.catalog.storage.tag_queries import list_groups, list_tags
from services.catalog.storage.tag_rows import TAGS
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.database import Database
from tests.storage.catalog.snapshots import EVERYTHING
from tests.support.catalog import delete, digest_of, envelope_for, pull, push

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
        page = list_groups(connection, EVERYTHING, 1, PageRequest())

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
