"""A repository that the registry cannot read holds no other one up, and it is counted."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from werkzeug import Request, Response

from services.catalog.domain.drift import Cause, Kind, State
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.drift import DRIFT, DriftRow, list_drift
from services.catalog.storage.rounds import count_unread, find_oldest_look
from services.catalog.usecases import crawl_run as module
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.registry import RegistryUnavailable
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.database import Database
from tests.storage.catalog.snapshots import shown_index
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy

Round = Callable[..., CrawlReport]


@pytest.fixture
def go_round(crawler: RepositoryCrawler) -> Round:
    """A function that makes a round; it looks at every tag of one repository."""

    def go(kind: CrawlKind = CrawlKind.ROUND, *, verify: int = 1, **plan: object) -> CrawlReport:
        # A registry's clock tells whole seconds: what was written in the same one is left for the next round.
        time.sleep(1.01 - time.time() % 1)
        wanted = CrawlPlan(kind, share=lambda repositories: verify, **plan)  # type: ignore[arg-type]
        report = crawl_registry(crawler, holder="us", database=crawler.database, clock=utc_now, plan=wanted)
        assert report is not None
        return report

    return go


@pytest.fixture
def known(pusher: Pusher, go_round: Round) -> None:
    """Two repositories that the index and the registry agree about."""
    for name in ("team/bad", "team/good"):
        pusher.image(name, "1.0")
    go_round(CrawlKind.FIRST, threads=1)


def refusing(word: str, status: int = 500) -> Callable[[Request], Response | None]:
    return lambda request: Response("no", status) if word in request.path else None


def unread(database: Database) -> int:
    with database.read() as connection:
        return count_unread(connection)


@pytest.mark.parametrize("word", ["team/bad/manifests", "team/bad/tags/list"])
def test_a_repository_that_cannot_be_read_does_not_take_the_turns_of_others(
    word: str, database: Database, known: None, pusher: Pusher, proxy: RegistryProxy, go_round: Round
) -> None:
    moved = pusher.image("team/good", "1.0")["digest"]
    proxy.refuse = refusing(word)

    reports = [go_round() for _ in range(4)]

    assert shown_index(database)["team/good"]["1.0"] == moved
    assert sum(report.verified for report in reports) == 2, "they take turns"


def test_what_could_not_be_read_counts_until_it_could(
    database: Database, known: None, proxy: RegistryProxy, go_round: Round
) -> None:
    proxy.refuse = refusing("team/bad/manifests")
    for _ in range(3):
        go_round()

    assert unread(database) == 1
    # A round that does not look at it knows no better.
    go_round(verify=0)
    assert unread(database) == 1
    proxy.refuse = lambda request: None
    go_round(verify=2)
    assert unread(database) == 0


def test_what_is_emptied_counts_no_more(
    database: Database, known: None, pusher: Pusher, proxy: RegistryProxy, go_round: Round
) -> None:
    proxy.refuse = refusing("team/bad/manifests")
    go_round(verify=2)
    assert unread(database) == 1
    proxy.refuse = lambda request: None
    pusher.delete("team/bad", shown_index(database)["team/bad"]["1.0"])

    for _ in range(2):
        go_round(verify=0, removes=True)

    assert unread(database) == 0


def unverified(database: Database) -> list[DriftRow]:
    with database.read() as connection:
        rows = list_drift(connection, ListRequest(PageRequest(per_page=100), DRIFT.order)).rows
    return [row for row in rows if row.kind is Kind.UNVERIFIED_REPOSITORY]


def test_what_is_overdue_is_told_until_it_could_be_read(
    database: Database, known: None, proxy: RegistryProxy, go_round: Round
) -> None:
    proxy.refuse = refusing("team/bad/manifests")
    for _ in range(3):
        go_round()

    (row,) = unverified(database)
    assert (row.repository, row.namespace, row.state) == ("team/bad", "team", State.OPEN)
    assert row.cause is Cause.UNREADABLE
    go_round(verify=0)
    assert [row.state for row in unverified(database)] == [State.OPEN]
    proxy.refuse = lambda request: None
    go_round(verify=2)
    assert [row.state for row in unverified(database)] == [State.RESOLVED]


def test_what_was_looked_at_lately_is_not_told(
    database: Database, known: None, proxy: RegistryProxy, go_round: Round
) -> None:
    proxy.refuse = refusing("team/bad/manifests")

    go_round(CrawlKind.FULL, verify_within=timedelta(days=1))

    assert unread(database) == 1
    assert unverified(database) == []


def test_a_registry_that_is_away_costs_nobody_a_turn(
    database: Database, known: None, proxy: RegistryProxy, go_round: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had no answer before a crawl was broken off is tried as if nobody had."""
    monkeypatch.setattr(module, "MAX_UNANSWERED", 1)
    proxy.seen.clear()

    def away(request: Request) -> Response | None:
        is_first = [path for _, path in proxy.seen] == ["/v2/_catalog"]
        return None if is_first else Response("no", 503)

    proxy.refuse = away
    with pytest.raises(RegistryUnavailable):
        go_round(threads=1)
    proxy.refuse = lambda request: None
    proxy.seen.clear()
    go_round()

    assert ("HEAD", "/v2/team/bad/manifests/1.0") in proxy.seen


def test_how_long_ago_every_tag_was_looked_at(
    database: Database, known: None, proxy: RegistryProxy, go_round: Round
) -> None:
    """Of the repository with the oldest look, and not of the last one."""
    with database.read() as connection:
        first = find_oldest_look(connection)
    proxy.refuse = refusing("team/bad/manifests")
    go_round(verify=2)

    with database.read() as connection:
        assert find_oldest_look(connection) == first
    proxy.refuse = lambda request: None
    go_round(verify=2)
    with database.read() as connection:
        later = find_oldest_look(connection)
    assert first is not None
    assert later is not None
    assert later > first
