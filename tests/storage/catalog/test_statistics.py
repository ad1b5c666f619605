"""How much there is and happens, and how much of it is whose."""

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.activity import purge_activity
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.show_statistics import show_repository_usage, show_statistics
from shared.database import Database
from shared.oci.names import RepositoryName
from shared.visibility.answers import Visibility
from tests.support.catalog import NOON, digest_of, envelope_for, pull, push
from tests.support.images import Pusher

DAY_S = 86_400
EVERYTHING = Visibility(everything=True)


def tell(database: Database, fetcher: ManifestFetcher, *occurrences: Occurrence) -> None:
    told = [envelope_for(one) for one in occurrences]
    apply_notifications(told, database=database, fetcher=fetcher, clock=lambda: NOON)


def days(database: Database, visibility: Visibility = EVERYTHING, *, count: int = 3) -> list[tuple[str, int, int]]:
    found = show_statistics(visibility, days=count, database=database, clock=lambda: NOON)
    return [(day.day.isoformat(), day.pushes, day.pulls) for day in found.days]


def test_pushes_and_pulls_are_counted_on_the_day_on_which_they_happened(
    database: Database, no_registry: ManifestFetcher
) -> None:
    a = digest_of("a")
    yesterday = [push("1.0", a, -DAY_S), pull(a, -DAY_S + 1, tag="1.0"), pull(a, -DAY_S + 2)]
    tell(database, no_registry, *yesterday)
    tell(database, no_registry, *yesterday)
    tell(database, no_registry, push("2.0", a, 1, repository="other/app"), pull(a, 2, tag="1.0", actor="portus"))
    tell(database, no_registry, pull(a, 3, tag="1.0", method="HEAD"), pull(a, 4, tag="1.0"))

    assert days(database) == [("2026-11-21", 0, 0), ("2026-11-22", 1, 2), ("2026-11-23", 1, 1)]
    assert days(database, Visibility(namespaces=("other",)), count=1) == [("2026-11-23", 1, 0)]
    assert days(database, Visibility()) == [("2026-11-21", 0, 0), ("2026-11-22", 0, 0), ("2026-11-23", 0, 0)]
    with database.write() as connection:
        assert purge_activity(connection, before=NOON.date()) == 1


def test_what_is_large_pulled_and_new(database: Database, no_registry: ManifestFetcher) -> None:
    a = digest_of("a")
    tell(database, no_registry, push("1.0", a, 1, actor="jane"), push("2.0", a, 9), push("1", a, 5, repository="top"))
    tell(database, no_registry, pull(a, 10, tag="1.0"), pull(a, 11, tag="1.0"), pull(a, 12, tag="1", repository="top"))

    found = show_statistics(EVERYTHING, days=1, database=database, clock=lambda: NOON)

    assert (found.totals.repositories, found.totals.tags, found.totals.pulls) == (2, 3, 3)
    assert {(one.namespace, one.tags, one.pulls) for one in found.namespaces} == {("team", 2, 2), (None, 1, 1)}
    assert [(one.repository, one.pulls) for one in found.most_pulled] == [("team/app", 2), ("top", 1)]
    assert [(one.repository, one.tag) for one in found.latest] == [("team/app", "2.0"), ("top", "1")]
    nobody = show_statistics(Visibility(), days=1, database=database, clock=lambda: NOON)
    assert (nobody.totals.repositories, nobody.namespaces, nobody.most_pulled, nobody.latest) == (0, [], [], [])


def test_what_no_other_repository_shares(database: Database, pusher: Pusher, crawler: RepositoryCrawler) -> None:
    pusher.image("team/app", "1.0", layer_bytes=(1000,))
    pusher.image("team/app", "2.0", layer_bytes=(5000,))
    pusher.copy_image("team/app", "1.0", "team/copy")
    for name in ("team/app", "team/copy"):
        crawler.crawl(RepositoryName(name))

    app, copy = (show_repository_usage(EVERYTHING, number, database=database) for number in (1, 2))

    assert 5000 < app.unique_bytes < 6500
    assert (copy.unique_bytes, copy.is_exact) == (0, True)
    assert app.repository.size_bytes > app.unique_bytes
