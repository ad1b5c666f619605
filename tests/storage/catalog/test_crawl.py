"""Taking over what a real registry held before Portus came."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from werkzeug import Request, Response

from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import list_crawls
from services.catalog.storage.leases import take_lease
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse import get_freshness
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_registry import LEASE, crawl_registry, is_crawl_due
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import MAX_FAILURES_IN_A_ROW, RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.registry import Registry, RegistryRefused, RegistryUnavailable
from shared.api.paging import ListRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.media_types import DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST
from shared.oci.names import Digest, RepositoryName
from tests.storage.catalog.snapshots import shown_index, shown_tags
from tests.support.catalog import delete, digest_of, envelope_for, push
from tests.support.catalog_clients import nowhere
from tests.support.images import Pusher, on
from tests.support.registry_proxy import RegistryProxy, Spoil


def crawl(crawler: RepositoryCrawler, *, holder: str = "us") -> CrawlReport | None:
    plan = CrawlPlan(CrawlKind.FIRST)
    return crawl_registry(crawler, holder=holder, database=crawler.database, clock=utc_now, plan=plan)


def fetched(proxy: RegistryProxy) -> list[str]:
    """Return the manifests and blobs that were read, and forget them."""
    paths = [path for verb, path in proxy.seen if verb == "GET" and ("/manifests/" in path or "/blobs/" in path)]
    proxy.seen.clear()
    return paths


def answers_500(word: str) -> Spoil:
    return lambda request, answer: Response("no", 500) if word in request.path else None


def breaks_off_behind(name: str) -> Spoil:
    """A proxy spoils the link to the second page, and answers with the first whatever is asked."""
    page = Response(f'{{"repositories": ["{name}"]}}', headers={"Link": '<>; rel="next"'})
    return lambda request, answer: page if request.path == "/v2/_catalog" else None


def test_case_68_everything_that_can_lie_in_a_registry_is_taken_over(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler
) -> None:
    web = pusher.image("team-a/web", "1.0.0")
    pusher.retag("team-a/web", "1.0.0", "latest")
    api = pusher.image("team-a/api", "1.0", docker=True)
    amd, arm = pusher.image("library/multi"), pusher.image("library/multi", architecture="arm64")
    children = [on(amd, "linux", "amd64"), on(arm, "linux", "arm64")]
    index = pusher.index("library/multi", "3.1", children)
    docker_children = [
        on(pusher.image("library/multi", docker=True, architecture=name), "linux", name) for name in ("amd64", "arm64")
    ]
    listed = pusher.index("library/multi", "3.1-docker", docker_children, docker=True)
    chart = pusher.artifact("charts/web", "0.1.0", config_type="application/vnd.cncf.helm.config.v1+json")
    top = pusher.image("top", "1")
    pusher.artifact("team-a/web", None, subject=web)

    report = crawl(crawler)

    assert report == CrawlReport(repositories=5, tags=7, failures=0, finished=True, repaired=7, verified=5)
    assert shown_index(database) == {
        "charts/web": {"0.1.0": chart["digest"]},
        "library/multi": {"3.1": index["digest"], "3.1-docker": listed["digest"]},
        "team-a/api": {"1.0": api["digest"]},
        "team-a/web": {"1.0.0": web["digest"], "latest": web["digest"]},
        "top": {"1": top["digest"]},
    }
    every = [tag for name in shown_index(database) for tag in shown_tags(database, name)]
    assert {tag.media_type for tag in every} == {OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_MANIFEST_LIST}
    assert all(tag.known and tag.size_bytes for tag in every)
    assert {(tag.pushed_at, tag.pushed_by, tag.pulls) for tag in every} == {(None, None, 0)}
    multi = {tag.name: tag for tag in shown_tags(database, "library/multi")}
    assert [one.digest for one in multi["3.1"].platforms] == [amd["digest"], arm["digest"]]
    assert [one.architecture for one in multi["3.1-docker"].platforms] == ["amd64", "arm64"]


def test_a_crawl_is_due_until_one_has_read_everything(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler
) -> None:
    pusher.image("team/app", "1.0")
    assert is_crawl_due(database=database)

    crawl(crawler)

    assert not is_crawl_due(database=database)
    assert get_freshness(database=database).crawled_at is not None


def test_case_69_rows_that_events_brought_do_not_keep_the_first_crawl_from_running(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, no_registry: ManifestFetcher
) -> None:
    """In SUSE Portus they did, and what the registry held besides was never read (decision 15)."""
    old, new = pusher.image("team/old", "1.0"), Digest(pusher.image("team/new", "1.0")["digest"])
    told = envelope_for(push("1.0", new, 0, repository="team/new", actor="jane"))
    apply_notifications([told], database=database, fetcher=no_registry, clock=utc_now)

    assert is_crawl_due(database=database)
    crawl(crawler)

    assert shown_index(database) == {"team/new": {"1.0": new}, "team/old": {"1.0": old["digest"]}}
    assert [tag.pushed_by for name in ("team/new", "team/old") for tag in shown_tags(database, name)] == ["jane", None]


def test_what_is_in_the_index_is_not_fetched_again(
    pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
) -> None:
    pusher.image("team/app", "1.0")
    crawl(crawler)
    assert len(fetched(proxy)) == 2, "a manifest and a configuration"
    new = pusher.image("team/app", "2.0")

    crawl(crawler)

    assert [path for path in fetched(proxy) if "/manifests/" in path] == ["/v2/team/app/manifests/2.0"]
    assert shown_index(crawler.database)["team/app"]["2.0"] == new["digest"]


def test_a_tag_that_moved_unseen_is_put_right(database: Database, pusher: Pusher, crawler: RepositoryCrawler) -> None:
    pusher.image("team/app", "1.0")
    crawl(crawler)
    moved = pusher.image("team/app", "1.0")

    crawl(crawler)

    assert shown_index(database) == {"team/app": {"1.0": moved["digest"]}}
    assert shown_tags(database, "team/app")[0].known


class TestTrouble:
    """A registry that does not do what it should."""

    def test_with_one_repository_leaves_that_one_as_it_was_and_crawls_again(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        kept = pusher.image("team/bad", "1.0")
        crawl(crawler)
        pusher.image("team/bad", "2.0")
        good = pusher.image("team/good", "1.0")
        proxy.spoil = answers_500("team/bad")

        report = crawl(crawler)

        assert report == CrawlReport(
            2, 1, 1, finished=True, repaired=1, failed=(RepositoryName("team/bad"),), verified=1, drift=1
        )
        assert shown_index(database) == {
            "team/bad": {"1.0": kept["digest"]},
            "team/good": {"1.0": good["digest"]},
        }

    def test_with_one_repository_keeps_the_first_crawl_due(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        pusher.image("team/bad", "1.0")
        proxy.spoil = answers_500("tags/list")
        crawl(crawler)
        assert is_crawl_due(database=database)
        proxy.spoil = lambda request, answer: None

        crawl(crawler)

        assert not is_crawl_due(database=database)
        assert list(shown_index(database)) == ["team/bad"]

    def test_that_never_ends_ends_the_first_crawl_after_a_number_of_rounds(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        pusher.image("team/bad", "1.0")
        proxy.spoil = answers_500("tags/list")
        rounds = 0
        while is_crawl_due(database=database):
            crawl(crawler)
            rounds += 1

        assert rounds == 10

    def test_case_78_with_one_tag_leaves_the_others_right(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        digests = {tag: pusher.image("team/app", tag)["digest"] for tag in ("1.0", "2.0", "3.0")}
        proxy.spoil = answers_500("manifests/2.0")

        report = crawl(crawler)

        # What was to be verified and was not is told, too.
        failed = (RepositoryName("team/app"),)
        assert report == CrawlReport(1, 2, 1, finished=True, repaired=2, failed=failed, drift=1)
        del digests["2.0"]
        assert shown_index(database) == {"team/app": digests}

    def test_with_one_tag_after_another_leaves_the_rest_for_later(
        self, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        pusher.image("team/app", "0")
        for number in range(1, 10):
            pusher.retag("team/app", "0", str(number))
        proxy.spoil = answers_500("manifests/")

        report = crawl(crawler)

        assert report == CrawlReport(1, 0, 1, finished=True, failed=(RepositoryName("team/app"),))
        asked = [path for _, path in proxy.seen if "/manifests/" in path]
        assert len(set(asked)) == MAX_FAILURES_IN_A_ROW

    def test_a_dangling_tag_is_no_tag_and_no_failure(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        good = pusher.image("team/app", "1.0")
        pusher.image("team/app", "dangling")
        proxy.spoil = lambda request, answer: Response("no", 404) if "manifests/dangling" in request.path else None

        report = crawl(crawler)

        assert report == CrawlReport(repositories=1, tags=1, failures=0, finished=True, repaired=1, verified=1, drift=1)
        assert shown_index(database) == {"team/app": {"1.0": good["digest"]}}

    def test_half_way_through_the_catalogue_keeps_what_was_read_and_takes_the_crawl_up_again(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        pusher.image("team/app", "1.0")

        def break_second_page(request: Request, answer: Response) -> Response | None:
            if request.path != "/v2/_catalog":
                return None
            if "last" in request.args:
                return Response("no", 500)
            answer.headers["Link"] = '</v2/_catalog?last=team/app>; rel="next"'
            return answer

        proxy.spoil = break_second_page
        with pytest.raises(RegistryUnavailable):
            crawl(crawler)
        assert list(shown_index(database)) == ["team/app"]
        assert is_crawl_due(database=database)
        assert get_freshness(database=database).crawled_at is None
        proxy.spoil = lambda request, answer: None

        assert crawl(crawler) == CrawlReport(repositories=1, tags=1, failures=0, finished=True, verified=1)

    def test_a_catalogue_that_breaks_off_leaves_the_first_crawl_due(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        for name in ("a/one", "b/two", "c/three"):
            pusher.image(name, "1.0")
        proxy.spoil = breaks_off_behind("a/one")

        report = crawl(crawler)

        assert report is not None
        assert (report.repositories, report.failures, report.knows_unread) == (1, 1, False)
        assert is_crawl_due(database=database)
        proxy.spoil = lambda request, answer: None
        crawl(crawler)
        assert list(shown_index(database)) == ["a/one", "b/two", "c/three"]
        assert not is_crawl_due(database=database)

    def test_a_catalogue_that_breaks_off_ends_no_comparing(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        """What the index has is looked at, and not taken for what the catalogue does not name."""
        for name in ("a/one", "b/two"):
            pusher.image(name, "1.0")
        crawl(crawler)
        moved = pusher.image("b/two", "1.0")["digest"]
        proxy.spoil = breaks_off_behind("a/one")

        plan = CrawlPlan(CrawlKind.FULL, removes=True)
        report = crawl_registry(crawler, holder="us", database=database, clock=utc_now, plan=plan)

        assert report is not None
        assert (report.finished, report.failures, report.repaired, report.drift) == (True, 1, 1, 1)
        assert shown_index(database)["b/two"]["1.0"] == moved
        with database.read() as connection:
            faults = [
                one.fault or "" for one in sorted(list_crawls(connection, ListRequest()).rows, key=lambda one: one.id)
            ]
        assert ["Link" in fault for fault in faults] == [False, True]

    def test_with_our_token_ends_the_crawl_at_once(
        self, database: Database, pusher: Pusher, proxy: RegistryProxy, crawler: RepositoryCrawler
    ) -> None:
        pusher.image("team/app", "1.0")
        refusal = Response("", 401, headers={"WWW-Authenticate": 'Bearer realm="x",service="another"'})
        proxy.spoil = lambda request, answer: refusal if "tags" in request.path else None

        with pytest.raises(RegistryRefused):
            crawl(crawler)
        assert is_crawl_due(database=database)

    def test_a_registry_that_is_away_changes_nothing(self, database: Database, no_registry: ManifestFetcher) -> None:
        away: Registry = nowhere()

        with pytest.raises(RegistryUnavailable):
            crawl(RepositoryCrawler(database, away, no_registry, utc_now, Event()))
        assert is_crawl_due(database=database)


class TestEvents:
    """What is told while a crawl is reading, and before it has written."""

    @pytest.fixture
    def old(self, pusher: Pusher) -> Digest:
        return Digest(pusher.image("team/app", "1.0")["digest"])

    @pytest.fixture
    def meanwhile(
        self, database: Database, proxy: RegistryProxy, no_registry: ManifestFetcher
    ) -> Callable[[Occurrence], None]:
        """A function that lets something happen between the crawl's reading of a manifest and its writing."""

        def let(occurrence: Occurrence) -> None:
            def tell(request: Request, answer: Response) -> None:
                if "/manifests/" in request.path:
                    told = replace(occurrence, stamp=Stamp(utc_now(), f"event-of-{request.path}"))
                    apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

            proxy.spoil = tell

        return let

    def test_a_push_is_not_undone(
        self, old: Digest, meanwhile: Callable[[Occurrence], None], database: Database, crawler: RepositoryCrawler
    ) -> None:
        new = digest_of("new")
        meanwhile(push("1.0", new, 0, actor="jane"))

        crawl(crawler)

        (tag,) = shown_tags(database, "team/app")
        assert (tag.digest, tag.pushed_by) == (new, "jane")
        assert tag.digest != old

    @pytest.mark.parametrize("by", ["tag", "digest"])
    def test_a_deletion_is_not_undone(
        self,
        by: str,
        old: Digest,
        meanwhile: Callable[[Occurrence], None],
        database: Database,
        crawler: RepositoryCrawler,
    ) -> None:
        meanwhile(delete(0, tag="1.0") if by == "tag" else delete(0, digest=old))

        crawl(crawler)

        assert shown_index(database) == {}

    def test_a_push_that_is_told_late_says_who_and_when(
        self, old: Digest, database: Database, crawler: RepositoryCrawler, no_registry: ManifestFetcher
    ) -> None:
        crawl(crawler)
        told = replace(push("1.0", old, 0, actor="jane"), stamp=Stamp(utc_now() - timedelta(minutes=1), "late"))

        apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

        (tag,) = shown_tags(database, "team/app")
        assert (tag.pushed_at, tag.pushed_by) == (told.stamp.time, "jane")


class TestLease:
    """Only one worker crawls at a time."""

    @pytest.fixture
    def take(self, database: Database) -> Callable[[str, float], bool]:
        start = utc_now()

        def take(holder: str, after_s: float) -> bool:
            with database.write() as connection:
                now = start + timedelta(seconds=after_s)
                return take_lease(connection, "work", holder, now=now, ttl=timedelta(seconds=60))

        return take

    def test_a_second_worker_does_not_crawl(self, database: Database, crawler: RepositoryCrawler) -> None:
        with database.write() as connection:
            take_lease(connection, LEASE, "somebody", now=utc_now(), ttl=timedelta(minutes=1))

        assert crawl(crawler) is None

    def test_after_a_crawl_anybody_may(self, crawler: RepositoryCrawler) -> None:
        assert crawl(crawler, holder="one") is not None
        assert crawl(crawler, holder="two") is not None

    def test_a_lease_is_renewed_by_its_holder_and_lost_when_that_one_is_dead(
        self, take: Callable[[str, float], bool]
    ) -> None:
        assert [take("a", 0), take("b", 30), take("a", 50), take("b", 70), take("b", 110), take("a", 111)] == [
            *(True, False, True, False),
            *(True, False),
        ]


def test_a_crawl_that_is_told_to_stop_is_taken_up_again(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler
) -> None:
    pusher.image("team/app", "1.0")
    crawler.stop.set()

    report = crawl(crawler)

    assert report == CrawlReport(finished=False)
    assert is_crawl_due(database=database)
    crawler.stop.clear()
    assert crawl(crawler) == CrawlReport(repositories=1, tags=1, finished=True, repaired=1, verified=1)
