"""Comparing the index with a real registry that was changed behind our back: what is found, and what is done."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
import requests
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug import Request, Response

from services.catalog.domain.drift import Cause, Finding, Kind, State
from services.catalog.domain.history import End, fold_history
from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.domain.occurrences import Stamp
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import find_under_way, open_crawl
from services.catalog.storage.drift import DRIFT, DriftRow, file_findings, list_drift
from services.catalog.storage.loss_windows import open_window
from services.catalog.storage.tables import drift as drift_table
from services.catalog.storage.tag_history import list_writes_of
from services.catalog.usecases import crawl_repository as repository_module
from services.catalog.usecases import crawl_run as module
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import MAX_FAILURES_IN_A_ROW, RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.purge_history import purge_history
from services.catalog.usecases.registry import RegistryUnavailable
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_index, shown_repositories, shown_tags
from tests.support.catalog import envelope_for, push
from tests.support.crawling import asking, working
from tests.support.images import Pusher
from tests.support.registry import Registry
from tests.support.registry_proxy import RegistryProxy
from tests.support.statements import statements

Round = Callable[..., CrawlReport]
Found = tuple[Kind, str, str, State]


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def proxy(registry: Registry) -> RegistryProxy:
    return RegistryProxy(registry.url)


@pytest.fixture
def go_round(crawler: RepositoryCrawler, broker_of_database: Secret) -> Iterator[Round]:
    """A function that makes a round; it looks at every tag of a repository only if asked to.

    A worker reads for it, by way of the broker.
    """
    with asking(broker_of_database, crawler.database, crawler.stop) as readers, working(broker_of_database, [crawler]):

        def go(kind: CrawlKind = CrawlKind.ROUND, *, verify: int = 0, **plan: object) -> CrawlReport:
            # A registry's clock tells whole seconds: what was written in the same one is left for the next round.
            time.sleep(1.01 - time.time() % 1)
            options = {"share": lambda repositories: verify, "new_readers": readers, **plan}
            wanted = CrawlPlan(kind, **options)  # type: ignore[arg-type]
            report = crawl_registry(crawler, holder="us", database=crawler.database, clock=utc_now, plan=wanted)
            assert report is not None
            return report

        yield go


@pytest.fixture
def taken_over(pusher: Pusher, go_round: Round) -> Digest:
    """An image that the index and the registry agree about; its digest."""
    digest = Digest(pusher.image("team/app", "1.0")["digest"])
    go_round(CrawlKind.FIRST)
    return digest


def ghosts(database: Database) -> list[str]:
    return [row.full_name for row in shown_repositories(database, ghost=True)]


def drift(database: Database) -> Sequence[DriftRow]:
    with database.read() as connection:
        return list(reversed(list_drift(connection, ListRequest(PageRequest(per_page=100), DRIFT.order)).rows))


def found(database: Database) -> list[Found]:
    return [(row.kind, row.repository or row.namespace or "", row.tag, row.state) for row in drift(database)]


def delete(registry: Registry, name: str, digest: str) -> None:
    assert requests.delete(f"{registry.url}/v2/{name}/manifests/{digest}", timeout=10).status_code == 202


def stored(registry: Registry, name: str, part: str) -> str:
    return str(registry.folder / "data/docker/registry/v2/repositories" / name / "_manifests" / part)


def states(database: Database) -> dict[str, State]:
    """What became of tags that the registry did not have."""
    return {row.tag: row.state for row in drift(database) if row.kind is Kind.PHANTOM_TAG}


def asked(proxy: RegistryProxy) -> list[str]:
    paths = [f"{verb} {path}" for verb, path in proxy.seen]
    proxy.seen.clear()
    return paths


def test_case_80_what_has_not_changed_costs_one_request_a_repository(
    pusher: Pusher, proxy: RegistryProxy, go_round: Round
) -> None:
    for name in ("team/app", "team/web"):
        pusher.image(name, "0")
        for number in range(1, 20):
            pusher.retag(name, "0", str(number))
    go_round(CrawlKind.FIRST)
    proxy.seen.clear()

    report = go_round()

    assert sorted(asked(proxy)) == [
        "GET /v2/_catalog",
        "GET /v2/team/app/tags/list",
        "GET /v2/team/web/tags/list",
    ]
    assert (report.repositories, report.tags, report.drift, report.verified) == (2, 40, 0, 0)


class TestClasses:
    """Every class of difference, made on purpose."""

    def test_a_missing_tag_is_put_in(
        self, database: Database, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        pushed = pusher.image("team/app", "2.0")

        report = go_round()

        assert shown_index(database)["team/app"]["2.0"] == pushed["digest"]
        assert found(database) == [(Kind.MISSING_TAG, "team/app", "2.0", State.REPAIRED)]
        (row,) = drift(database)
        assert (row.namespace, row.indexed_digest, row.found_digest) == ("team", None, pushed["digest"])
        assert (row.cause, report.repaired, report.drift) == (Cause.BEHIND_OUR_BACK, 1, 1)

    def test_a_tag_that_moved_is_found_when_its_turn_comes(
        self, database: Database, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        moved = pusher.image("team/app", "1.0")

        go_round(verify=0)
        assert found(database) == []
        report = go_round(verify=1)

        assert shown_index(database) == {"team/app": {"1.0": moved["digest"]}}
        assert found(database) == [(Kind.DIGEST_DIFFERS, "team/app", "1.0", State.REPAIRED)]
        assert (drift(database)[0].indexed_digest, report.verified) == (taken_over, 1)

    @pytest.mark.parametrize("how", ["by the API", "in the storage"])
    def test_a_phantom_tag_is_told_and_left(
        self, how: str, database: Database, registry: Registry, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        pusher.image("team/app", "stays")
        if how == "by the API":
            delete(registry, "team/app", taken_over)
        else:
            shutil.rmtree(stored(registry, "team/app", "tags/1.0"))

        for _ in range(2):
            go_round()

        assert set(shown_index(database)["team/app"]) == {"1.0", "stays"}
        assert (Kind.PHANTOM_TAG, "team/app", "1.0", State.OPEN) in found(database)
        (row,) = [row for row in drift(database) if row.kind is Kind.PHANTOM_TAG]
        assert (row.rounds, row.indexed_digest, row.closed_at) == (2, taken_over, None)

    def test_a_phantom_tag_is_let_go_of_at_the_second_look_where_that_was_asked_for(
        self, database: Database, registry: Registry, taken_over: Digest, go_round: Round
    ) -> None:
        delete(registry, "team/app", taken_over)

        go_round(removes=True)
        assert list(shown_index(database)) == ["team/app"]
        report = go_round(removes=True)

        assert shown_index(database) == {}
        assert (Kind.PHANTOM_TAG, "team/app", "1.0", State.REMOVED) in found(database)
        assert report.removed == 1
        with database.read() as connection:
            (period,) = fold_history(list_writes_of(connection, 1, Tag("1.0")))
        assert (period.digest, period.end, period.ended_by) == (taken_over, End.VANISHED, None)

    def test_a_tag_without_its_manifest_is_dangling(
        self, database: Database, registry: Registry, taken_over: Digest, go_round: Round
    ) -> None:
        shutil.rmtree(stored(registry, "team/app", f"revisions/sha256/{taken_over.partition(':')[2]}"))

        go_round(verify=1)

        assert found(database) == [(Kind.DANGLING_TAG, "team/app", "1.0", State.OPEN)]
        assert drift(database)[0].cause is Cause.STORAGE_CHANGED
        assert [tag.dangling for tag in shown_tags(database, "team/app")] == [True]
        # A round that does not look at every tag cannot tell that it is over.
        go_round(verify=0)
        assert found(database) == [(Kind.DANGLING_TAG, "team/app", "1.0", State.OPEN)]

    def test_an_emptied_repository_is_a_ghost(
        self, database: Database, registry: Registry, pusher: Pusher, go_round: Round
    ) -> None:
        pushed = pusher.image("team/gone", "1.0")
        delete(registry, "team/gone", pushed["digest"])

        go_round(CrawlKind.FIRST)

        assert found(database) == [(Kind.GHOST_REPOSITORY, "team/gone", "", State.OPEN)]
        assert shown_repositories(database) == []
        assert ghosts(database) == ["team/gone"]
        # It is none any more as soon as somebody pushes to it.
        pusher.image("team/gone", "2.0")
        go_round()
        assert [row.full_name for row in shown_repositories(database)] == ["team/gone"]
        assert ghosts(database) == []

    def test_a_repository_that_the_catalogue_does_not_name(
        self, database: Database, taken_over: Digest, proxy: RegistryProxy, go_round: Round
    ) -> None:
        def without(request: Request, answer: Response) -> Response | None:
            return Response('{"repositories": []}') if request.path == "/v2/_catalog" else None

        proxy.spoil = without
        go_round(removes=True)
        go_round(removes=True)

        assert found(database) == [(Kind.UNLISTED_REPOSITORY, "team/app", "", State.OPEN)]
        assert list(shown_index(database)) == ["team/app"]
        proxy.spoil = lambda request, answer: None
        go_round()
        assert found(database) == [(Kind.UNLISTED_REPOSITORY, "team/app", "", State.RESOLVED)]

    def test_case_71_a_namespace_that_nobody_has_made(
        self, database: Database, taken_over: Digest, go_round: Round
    ) -> None:
        asked_for: list[Collection[str]] = []

        def unknown(names: Collection[str]) -> Collection[str]:
            asked_for.append(names)
            return ["team"]

        go_round(unknown_namespaces=unknown)

        assert asked_for == [["team"]]
        assert found(database) == [(Kind.ORPHAN_NAMESPACE, "team", "", State.OPEN)]
        go_round(unknown_namespaces=None)
        assert found(database)[0][3] is State.OPEN, "nobody could tell"
        go_round(unknown_namespaces=lambda names: [])
        assert found(database)[0][3] is State.RESOLVED


class TestStorage:
    """What was done to the registry's folder, past the registry."""

    def test_a_tag_that_was_copied_and_one_that_was_turned_are_put_right(
        self, database: Database, registry: Registry, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        other = pusher.image("team/app", "2.0")["digest"]
        go_round()
        shutil.copytree(stored(registry, "team/app", "tags/1.0"), stored(registry, "team/app", "tags/copy"))
        Path(stored(registry, "team/app", "tags/1.0/current/link")).write_text(other)

        go_round(verify=1)

        assert shown_index(database) == {"team/app": {"1.0": other, "2.0": other, "copy": taken_over}}
        assert found(database)[1:] == [
            (Kind.DIGEST_DIFFERS, "team/app", "1.0", State.REPAIRED),
            (Kind.MISSING_TAG, "team/app", "copy", State.REPAIRED),
        ]

    def test_an_empty_volume_empties_no_index(
        self, pusher: Pusher, taken_over: Digest, registry: Registry, go_round: Round, database: Database
    ) -> None:
        """However often it is looked at; what is gone is told, and let go of when the registry has something again."""
        shutil.move(registry.folder / "data/docker", registry.folder / "docker.away")

        for _ in range(3):
            assert go_round(removes=True).removed == 0

        assert shown_index(database) == {"team/app": {"1.0": taken_over}}
        assert (Kind.PHANTOM_TAG, "team/app", "1.0", State.OPEN) in found(database)
        pusher.image("team/other", "1.0")
        assert go_round(removes=True).removed == 1

    def test_a_repository_whose_folder_is_gone_is_kept_until_that_was_seen_twice(
        self, database: Database, registry: Registry, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        pusher.image("team/other", "1.0")
        go_round()
        folder = Path(stored(registry, "team/app", "")).parent
        shutil.move(folder, registry.folder / "away")
        go_round(removes=True)
        assert set(shown_index(database)) == {"team/app", "team/other"}
        shutil.move(registry.folder / "away", folder)
        go_round(removes=True)
        shutil.move(folder, registry.folder / "away")
        go_round(removes=True)
        assert set(shown_index(database)) == {"team/app", "team/other"}, "what came back counts anew"

        go_round(removes=True)

        assert set(shown_index(database)) == {"team/other"}
        states = [state for kind, *_, state in found(database) if kind is Kind.PHANTOM_TAG]
        assert states == [State.RESOLVED, State.REMOVED]
        shutil.move(registry.folder / "away", folder)
        go_round(removes=True)
        assert shown_index(database)["team/app"] == {"1.0": taken_over}


class TestDoubt:
    """Nothing is taken for gone on a doubt, and nothing that is newer is undone."""

    def test_what_is_pushed_again_is_over(
        self, database: Database, registry: Registry, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        pusher.image("team/app", "2.0")
        pusher.retag("team/app", "2.0", "kept")
        shutil.rmtree(stored(registry, "team/app", "tags/1.0"))
        go_round()
        pusher.retag("team/app", "2.0", "1.0")

        go_round(removes=True, verify=1)

        assert states(database) == {"1.0": State.RESOLVED}
        assert set(shown_index(database)["team/app"]) == {"1.0", "2.0", "kept"}

    def test_case_72_a_list_that_fails_leaves_all_as_it_was(
        self, database: Database, registry: Registry, taken_over: Digest, proxy: RegistryProxy, go_round: Round
    ) -> None:
        delete(registry, "team/app", taken_over)
        go_round()
        proxy.spoil = lambda request, answer: Response("no", 500) if "tags/list" in request.path else None

        report = go_round(removes=True)

        assert report.failures == 1
        assert list(shown_index(database)) == ["team/app"]
        assert (Kind.PHANTOM_TAG, "team/app", "1.0", State.OPEN) in found(database)

    def test_a_list_that_does_not_come_in_time_leaves_all_as_it_was(
        self, database: Database, registry: Registry, taken_over: Digest, proxy: RegistryProxy, go_round: Round
    ) -> None:
        delete(registry, "team/app", taken_over)
        go_round()
        woken = Event()

        def hang(request: Request) -> Response | None:
            if "tags/list" in request.path:
                woken.wait(30)
            return None

        proxy.refuse = hang
        report = go_round(removes=True)
        woken.set()

        assert report.failures == 1
        assert list(shown_index(database)) == ["team/app"]
        assert (Kind.PHANTOM_TAG, "team/app", "1.0", State.OPEN) in found(database)

    def test_a_tag_that_is_not_listed_and_answers_is_no_phantom(
        self, database: Database, taken_over: Digest, proxy: RegistryProxy, go_round: Round
    ) -> None:
        empty = '{"name": "team/app", "tags": null}'
        proxy.spoil = lambda request, answer: Response(empty) if "tags/list" in request.path else None

        for _ in range(2):
            go_round(removes=True)

        assert list(shown_index(database)) == ["team/app"]
        assert Kind.PHANTOM_TAG not in {row.kind for row in drift(database)}

    def test_a_question_that_fails_costs_nothing_that_was_found(
        self, database: Database, taken_over: Digest, pusher: Pusher, proxy: RegistryProxy, go_round: Round
    ) -> None:
        for tag in ("2.0", "3.0"):
            pusher.image("team/app", tag)
        go_round()
        for tag in ("1.0", "2.0"):
            pusher.delete("team/app", shown_index(database)["team/app"][tag])
        new = pusher.image("team/app", "4.0")["digest"]
        proxy.spoil = lambda request, answer: Response("no", 503) if "manifests/1.0" in request.path else None

        report = go_round()

        assert (report.failures, report.repaired, report.finished) == (1, 1, True)
        assert shown_index(database)["team/app"]["4.0"] == new
        assert found(database)[2:] == [
            (Kind.MISSING_TAG, "team/app", "4.0", State.REPAIRED),
            (Kind.PHANTOM_TAG, "team/app", "2.0", State.OPEN),
        ]
        proxy.spoil = lambda request, answer: None
        assert go_round().failures == 0
        assert (Kind.PHANTOM_TAG, "team/app", "1.0", State.OPEN) in found(database)

    def test_a_registry_that_answers_no_question_is_not_asked_them_all(
        self, taken_over: Digest, pusher: Pusher, proxy: RegistryProxy, go_round: Round
    ) -> None:
        for number in range(9):
            pusher.retag("team/app", "1.0", str(number))
        go_round()
        pusher.delete("team/app", taken_over)
        proxy.seen.clear()
        proxy.spoil = lambda request, answer: Response("no", 503) if "manifests/" in request.path else None

        report = go_round()

        assert report.failures == 1
        assert len({path for path in asked(proxy) if path.startswith("HEAD")}) == MAX_FAILURES_IN_A_ROW

    def test_differences_that_are_too_many_are_told_when_others_are_over_and_are_not_over_themselves(
        self,
        monkeypatch: pytest.MonkeyPatch,
        database: Database,
        taken_over: Digest,
        pusher: Pusher,
        go_round: Round,
    ) -> None:
        monkeypatch.setattr(repository_module, "MAX_FINDINGS", 2)
        pusher.image("team/app", "stays")
        for tag in ("2.0", "3.0"):
            pusher.retag("team/app", "1.0", tag)
        pusher.image("team/app", "0.0")
        assert go_round().repaired == 4, "what is put right is not too much"
        pusher.delete("team/app", taken_over)
        go_round()
        pusher.delete("team/app", shown_index(database)["team/app"]["0.0"])

        with capture_logs() as logs:
            report = go_round()

        phantoms = {tag: state for kind, _, tag, state in found(database) if kind is Kind.PHANTOM_TAG}
        assert phantoms == dict.fromkeys(("0.0", "1.0", "2.0"), State.OPEN)
        assert report.failures == 0
        assert [entry["tags"] for entry in logs if entry["event"] == "crawl.differences_untold"] == [2]

    def test_case_77_a_registry_that_is_down_changes_nothing(
        self, database: Database, registry: Registry, taken_over: Digest, go_round: Round
    ) -> None:
        registry.stop()

        with pytest.raises(RegistryUnavailable):
            go_round(removes=True)

        assert list(shown_index(database)) == ["team/app"]
        with database.read() as connection:
            under_way = find_under_way(connection)
        assert under_way is not None
        assert "_catalog" in (under_way.fault or "")

    def test_case_75_a_push_during_the_round_is_not_undone(
        self,
        database: Database,
        registry: Registry,
        taken_over: Digest,
        proxy: RegistryProxy,
        no_registry: ManifestFetcher,
        go_round: Round,
    ) -> None:
        delete(registry, "team/app", taken_over)
        go_round(removes=True)

        def push_meanwhile(request: Request, answer: Response) -> None:
            if "/manifests/1.0" in request.path:
                told = replace(push("1.0", taken_over, 0, actor="jane"), stamp=Stamp(utc_now(), "again"))
                apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)

        proxy.spoil = push_meanwhile
        report = go_round(removes=True)

        assert report.removed == 0
        assert [tag.pushed_by for tag in shown_tags(database, "team/app")] == ["jane"]

    def test_a_push_that_is_told_later_explains_the_repair(
        self, database: Database, taken_over: Digest, pusher: Pusher, no_registry: ManifestFetcher, go_round: Round
    ) -> None:
        pushed = Digest(pusher.image("team/app", "2.0")["digest"])
        told = replace(push("2.0", pushed, 0, actor="jane"), stamp=Stamp(utc_now(), "late"))
        go_round()
        assert len(drift(database)) == 1

        apply_notifications([envelope_for(told)], database=database, fetcher=no_registry, clock=utc_now)
        purge_history(database=database, clock=utc_now)

        assert drift(database) == []

    def test_lost_events_are_the_cause_where_some_may_have_been_lost(
        self, database: Database, taken_over: Digest, pusher: Pusher, go_round: Round
    ) -> None:
        pusher.image("team/app", "2.0")
        now = utc_now()
        with database.write() as connection:
            suspicion = Suspicion("registry", Reason.RESTART, now - timedelta(minutes=1), now, None)
            open_window(connection, suspicion, now=now)

        go_round()

        assert [row.cause for row in drift(database)] == [Cause.LOST_EVENTS]


class TestTakenUpAgain:
    """A crawl that was killed goes on where it was."""

    @pytest.fixture
    def names(self, pusher: Pusher, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr(module, "REPORT_EVERY", 1)
        names = [f"team/app-{number}" for number in range(6)]
        for name in names:
            pusher.image(name, "1.0")
        return names

    def test_behind_what_is_read(
        self, database: Database, names: list[str], proxy: RegistryProxy, go_round: Round
    ) -> None:
        refusal = Response("", 401, headers={"WWW-Authenticate": 'Bearer realm="x",service="another"'})
        proxy.spoil = lambda request, answer: refusal if f"{names[3]}/tags" in request.path else None
        with pytest.raises(Exception, match=r".+"):
            go_round(CrawlKind.FIRST, threads=1)
        with database.read() as connection:
            broken_off = find_under_way(connection)
        assert broken_off is not None
        assert (broken_off.position, broken_off.repositories) == (names[2], 3)
        proxy.spoil = lambda request, answer: None
        proxy.seen.clear()

        report = go_round()

        assert (report.repositories, report.finished, report.verified) == (6, True, 6)
        # What was read behind it and not counted is not read again either.
        lists = {path for path in asked(proxy) if "tags/list" in path}
        assert f"GET /v2/{names[3]}/tags/list" in lists
        assert lists <= {f"GET /v2/{name}/tags/list" for name in names[3:]}
        assert list(shown_index(database)) == names

    def test_a_stop_leaves_nothing_out_and_takes_nothing_for_unlisted(
        self,
        database: Database,
        pusher: Pusher,
        proxy: RegistryProxy,
        crawler: RepositoryCrawler,
        go_round: Round,
    ) -> None:
        names = [f"team/app-{number}" for number in range(6)]
        for name in names:
            pusher.image(name, "1.0")
        go_round(CrawlKind.FIRST)
        pusher.retag(names[3], "1.0", "2.0")

        def stop(request: Request, answer: Response) -> None:
            if f"{names[3]}/tags" in request.path:
                crawler.stop.set()

        proxy.spoil = stop
        broken_off = go_round(threads=1)
        crawler.stop.clear()
        proxy.spoil = lambda request, answer: None
        report = go_round()

        assert (broken_off.finished, broken_off.failures) == (False, 0)
        # What was read and not told yet when the stop came is read again.
        assert broken_off.repositories <= 3
        assert (report.finished, report.repositories, report.failures, report.repaired) == (True, 6, 0, 1)
        assert found(database) == [(Kind.MISSING_TAG, names[3], "2.0", State.REPAIRED)]

    def test_what_the_first_part_left_out_of_too_many_differences_is_not_over(
        self,
        monkeypatch: pytest.MonkeyPatch,
        database: Database,
        names: list[str],
        pusher: Pusher,
        proxy: RegistryProxy,
        go_round: Round,
    ) -> None:
        monkeypatch.setattr(repository_module, "MAX_FINDINGS", 2)
        for tag in ("2.0", "3.0", "stays"):
            pusher.image(names[0], tag)
        go_round(CrawlKind.FIRST)
        for tag in ("2.0", "3.0"):
            pusher.delete(names[0], shown_index(database)[names[0]][tag])
        go_round()
        pusher.delete(names[0], shown_index(database)[names[0]]["1.0"])
        refusal = Response("", 401, headers={"WWW-Authenticate": 'Bearer realm="x",service="another"'})
        proxy.spoil = lambda request, answer: refusal if f"{names[3]}/tags" in request.path else None
        with pytest.raises(Exception, match=r".+"):
            go_round(threads=1)
        with database.read() as connection:
            broken_off = find_under_way(connection)
        assert broken_off is not None
        assert broken_off.position == names[2]
        proxy.spoil = lambda request, answer: None

        report = go_round()

        assert (report.finished, report.failures, report.repositories) == (True, 0, 6)
        assert states(database) == dict.fromkeys(("1.0", "2.0", "3.0"), State.OPEN)
        monkeypatch.setattr(repository_module, "MAX_FINDINGS", 100)
        pusher.retag(names[0], "stays", "3.0")
        go_round(verify=6)
        assert states(database) == {"1.0": State.OPEN, "2.0": State.OPEN, "3.0": State.RESOLVED}

    @pytest.mark.parametrize("catalogue", ["away too", "still there"])
    def test_case_77_a_registry_that_goes_away_half_way_is_waited_for(
        self,
        catalogue: str,
        monkeypatch: pytest.MonkeyPatch,
        database: Database,
        names: list[str],
        proxy: RegistryProxy,
        go_round: Round,
    ) -> None:
        go_round(CrawlKind.FIRST)
        monkeypatch.setattr(module, "MAX_UNANSWERED", 2)
        words = [f"{name}/tags" for name in names[2:]]

        def away(request: Request, answer: Response) -> Response | None:
            is_lost = any(word in request.path for word in words)
            is_lost |= catalogue == "away too" and len(proxy.seen) > 3 and "_catalog" in request.path
            return Response("no", 503) if is_lost else None

        proxy.seen.clear()
        proxy.spoil = away
        if catalogue == "still there":
            assert go_round(threads=1).failures == 4
            return
        with pytest.raises(RegistryUnavailable):
            go_round(threads=1)
        proxy.spoil = lambda request, answer: None
        report = go_round()

        assert (report.repositories, report.failures, report.finished) == (6, 0, True)


def test_many_differences_of_a_repository_are_filed_in_a_few_statements(database: Database) -> None:
    app = RepositoryName("team/app")
    with database.write() as connection:
        first, second = (open_crawl(connection, CrawlKind.ROUND, now=utc_now()) for _ in range(2))
    many = [Finding(Kind.PHANTOM_TAG, app, Tag(f"v{number}"), namespace="team") for number in range(200)]

    with database.write() as connection, statements() as seen:
        assert file_findings(connection, many[:150], crawl=first, now=utc_now()) == []
        again = file_findings(connection, many, crawl=second, now=utc_now())
        assert file_findings(connection, many, crawl=second, now=utc_now()) == []

    assert again == [finding.tag for finding in many[:150]]
    assert len(seen) < 25
    with database.read() as connection:
        rounds = Counter(connection.scalars(select(drift_table.c.rounds)))
    assert rounds == {2: 150, 1: 50}
