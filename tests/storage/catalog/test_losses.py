"""Losses of events: noticed, folded together, made up for from the registry, and told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from werkzeug import Request, Response

from services.catalog.domain.drift import Cause, State
from services.catalog.domain.drift import Kind as Drift
from services.catalog.domain.losses import ARRIVES_WITHIN
from services.catalog.domain.occurrences import Occurrence
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import find_under_way, open_crawl
from services.catalog.storage.drift import DRIFT, DriftRow, list_drift
from services.catalog.storage.instances import count_arrived
from services.catalog.storage.loss_queries import WholeLossWindow, find_window, list_windows
from services.catalog.storage.loss_tables import loss_windows, push_grants, registry_instances
from services.catalog.storage.loss_windows import (
    LONGEST_SETTLING,
    MAX_REPOSITORIES,
    PAUSE,
    SETTLES_WITHIN,
    concern,
    list_uncrawled,
)
from services.catalog.storage.tables import leases
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse import get_freshness
from services.catalog.usecases.count_deliveries import count_deliveries
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.kept_lease import KeptLease, LeaseLost
from services.catalog.usecases.purge_history import INSTANCES_KEPT_FOR, WINDOWS_KEPT_FOR, purge_history
from services.catalog.usecases.push_grants import note_push_grants, settle_push_grants
from services.catalog.usecases.repair_losses import LEASE, close_windows_covered_by, repair_losses
from shared.api.paging import ListRequest, PageRequest
from shared.contracts.events import Envelope, InvalidMessage, TokenPushGranted, envelope_of
from shared.database import Database
from shared.oci.names import RepositoryName
from tests.storage.catalog.snapshots import shown_index
from tests.support.catalog import NOON, digest_of, envelope_for, moment, pull, push
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy, refuses

A = digest_of("a")
NOW = NOON + timedelta(hours=1)


class House:
    """An index, told of events at a time that a test sets."""

    def __init__(self, database: Database, fetcher: ManifestFetcher) -> None:
        self.database = database
        self.now = NOW
        self._fetcher = fetcher

    def clock(self) -> datetime:
        return self.now

    def tell(self, *told: Occurrence, instance: str, registry: str = "localhost:5000") -> None:
        """Apply notifications of one process of a registry."""
        self.apply(*(_of(one, instance, registry) for one in told))

    def apply(self, *envelopes: Envelope) -> None:
        apply_notifications(envelopes, database=self.database, fetcher=self._fetcher, clock=self.clock)

    def grant(self, repository: str, at: float, *, life_s: float = 900, pushes: bool = True) -> None:
        """Tell of a token, ``at`` seconds after noon."""
        span = (moment(at).isoformat(), moment(at + life_s).isoformat())
        granted = TokenPushGranted(repository, *span, "jane", pushes=pushes)
        note_push_grants([_grant(granted)], database=self.database, clock=self.clock)

    def settle(self) -> int:
        return settle_push_grants(registry="registry.example", database=self.database, clock=self.clock)

    def repair(self, crawler: RepositoryCrawler) -> bool:
        crawler = replace(crawler, clock=self.clock)
        return repair_losses(crawler, holder="us", database=self.database, clock=self.clock)

    @property
    def place(self) -> dict[str, Any]:
        return {"database": self.database, "clock": self.clock}

    def windows(self) -> list[WholeLossWindow]:
        """Return all windows, the oldest first."""
        with self.database.read() as connection:
            ids = sorted(window.id for window in list_windows(connection, ListRequest()).rows)
            return [found for id in ids if (found := find_window(connection, id))]


def _of(occurrence: Occurrence, instance: str, registry: str) -> Envelope:
    envelope = envelope_for(occurrence)
    return replace(envelope, data={**envelope.data, "instance_id": instance, "registry": registry})


def _grant(granted: TokenPushGranted) -> Envelope:
    return envelope_of(granted, id=uuid4().hex, source="/auth", time=NOW)


@pytest.fixture
def house(database: Database, no_registry: ManifestFetcher) -> House:
    return House(database, no_registry)


class TestRestarts:
    """An unknown process speaks: another one may have ended with events in its memory."""

    def test_the_first_process_is_no_loss(self, house: House) -> None:
        house.tell(push("1.0", A, 1), push("2.0", A, 2), instance="one")

        assert house.windows() == []
        assert get_freshness(database=house.database).possible_loss is None

    def test_another_process_opens_a_window(self, house: House) -> None:
        house.tell(push("1.0", A, 1), push("2.0", A, 20), instance="one")
        house.tell(push("3.0", A, 60), instance="two")

        (window,) = house.windows()
        assert (window.reason, window.registry, window.causes) == ("restart", "localhost:5000", 1)
        assert (window.since, window.until) == (moment(20), moment(60))
        assert (window.everything, window.open, window.opened_at) == (True, True, NOW)

    def test_the_freshness_names_it(self, house: House) -> None:
        house.tell(push("1.0", A, 20), instance="one")
        house.tell(push("3.0", A, 60), instance="two")

        loss = get_freshness(database=house.database).possible_loss
        assert loss is not None
        assert (loss.count, loss.since, loss.reasons) == (1, moment(20), ["restart"])

    def test_what_comes_again_changes_nothing(self, house: House) -> None:
        for _ in range(2):
            house.tell(push("1.0", A, 1, id="a"), instance="one")
            house.tell(push("2.0", A, 2, id="b"), instance="two")

        assert len(house.windows()) == 1
        with house.database.read() as connection:
            assert count_arrived(connection) == 2

    def test_both_in_one_batch_are_seen_in_the_order_of_their_names(self, house: House) -> None:
        house.apply(
            _of(push("1.0", A, 1), "one", "localhost:5000"),
            _of(push("2.0", A, 2), "two", "localhost:5000"),
        )

        assert len(house.windows()) == 1

    def test_a_rolling_restart_is_one_window(self, house: House) -> None:
        for replica in range(3):
            house.tell(push("1.0", A, replica, id=f"old-{replica}"), instance=f"old-{replica}")
        _close_all(house)
        house.now += timedelta(days=1)
        for replica in range(3):
            house.now += timedelta(seconds=5)
            house.tell(push("1.0", A, 100 + replica, id=f"new-{replica}"), instance=f"new-{replica}")

        (window,) = [window for window in house.windows() if window.open]
        assert (window.causes, window.until) == (3, moment(102))
        assert _due(house, window.id) == window.opened_at + timedelta(seconds=10) + SETTLES_WITHIN

    def test_settling_has_an_end(self, house: House) -> None:
        house.tell(pull(A, 0), instance="zero")
        for number in range(1, 60):
            house.now += timedelta(seconds=5)
            house.tell(pull(A, number), instance=f"instance-{number:02}")

        (window,) = house.windows()
        assert _due(house, window.id) == window.opened_at + LONGEST_SETTLING

    def test_a_registry_that_ends_again_and_again_is_not_crawled_again_and_again(
        self, house: House, crawler: RepositoryCrawler
    ) -> None:
        """Promise: there is a pause between two crawls, whatever happens meanwhile."""
        crawls = 0
        house.tell(pull(A, 0), instance="zero")
        for number in range(1, 121):
            house.now += timedelta(seconds=5)
            house.tell(pull(A, number), instance=f"instance-{number:03}")
            crawls += house.repair(crawler)

        # Ten minutes: each crawl waits for its pause, and for restarts to end.
        assert 1 <= crawls <= 10
        assert sum(window.open for window in house.windows()) <= 1

    def test_a_process_that_speaks_again_may_be_the_next_to_end(self, house: House) -> None:
        house.tell(pull(A, 1), instance="one")
        house.tell(pull(A, 2), instance="two")
        house.now += timedelta(hours=2)
        _close_all(house)
        house.tell(pull(A, 3), instance="one")
        house.tell(pull(A, 9), instance="three")

        assert house.windows()[-1].since == moment(2)

    def test_a_restart_while_a_crawl_is_under_way_opens_a_window_of_its_own(self, house: House) -> None:
        """That crawl may have passed what was lost."""
        house.tell(pull(A, 1), instance="one")
        house.tell(pull(A, 2), instance="two")
        with house.database.write() as connection:
            connection.execute(loss_windows.update().values(crawl_started_at=NOW))

        house.tell(pull(A, 3), instance="three")

        assert [window.open for window in house.windows()] == [True, True]

    def test_a_clock_that_is_ahead_does_not_hide_what_comes(self, house: House) -> None:
        house.tell(pull(A, 10**9), instance="one")
        house.tell(pull(A, 60), instance="two")

        assert house.windows()[0].since == NOW


def _due(house: House, window: int) -> datetime:
    with house.database.read() as connection:
        due: datetime = connection.execute(
            select(loss_windows.c.due_at).where(loss_windows.c.id == window)
        ).scalar_one()
    return due


def _close_all(house: House) -> None:
    _close_covered_by(house, CrawlReport(finished=True))


def _close_covered_by(house: House, report: CrawlReport) -> int:
    return close_windows_covered_by(report, started_at=house.now, database=house.database, clock=house.clock)


@pytest.fixture
def lossy(house: House) -> House:
    """A registry was restarted, and the window has settled."""
    house.tell(pull(A, 1), instance="one")
    house.tell(pull(A, 60), instance="two")
    house.now += SETTLES_WITHIN
    return house


def _let_it_concern_everything(house: House) -> None:
    with house.database.write() as connection:
        connection.execute(update(loss_windows).values(reason="gap"))


def drift(house: House) -> list[DriftRow]:
    with house.database.read() as connection:
        return list(reversed(list_drift(connection, ListRequest(PageRequest(per_page=100), DRIFT.order)).rows))


def lose_a_deletion(house: House, crawler: RepositoryCrawler, pusher: Pusher, *tags: str) -> None:
    """A push and deletions, of the tag ``gone`` if nothing else is said, were lost; a window was worked off."""
    images = {tag: pusher.image("team/app", tag) for tag in tags or ("gone",)}
    pusher.image("team/app", "stays")
    house.grant("team/old", -5000)
    house.grant("team/app", 30)
    told = [push(tag, image["digest"], 1, id=tag, repository="team/app") for tag, image in images.items()]
    house.tell(*told, instance="one")
    for image in images.values():
        pusher.delete("team/app", image["digest"])
    house.tell(pull(A, 60), instance="two")
    house.now += SETTLES_WITHIN
    house.repair(crawler)


def go_round(
    house: House, crawler: RepositoryCrawler, *, kind: CrawlKind = CrawlKind.ROUND, verify: int = 0
) -> CrawlReport:
    plan = CrawlPlan(kind, removes=True, share=lambda _: verify, threads=1)
    report = crawl_registry(crawler, holder="us", database=house.database, clock=house.clock, plan=plan)
    assert report is not None
    return report


class TestRepair:
    """What was lost is read from the registry."""

    def test_waits_until_the_window_has_settled(self, house: House, crawler: RepositoryCrawler) -> None:
        house.tell(pull(A, 1), instance="one")
        house.tell(pull(A, 60), instance="two")

        assert not house.repair(crawler)

    def test_brings_what_nobody_told(self, lossy: House, crawler: RepositoryCrawler, pusher: Pusher) -> None:
        images = {name: pusher.image(name, "1.0")["digest"] for name in ("team/a", "team/b")}

        assert lossy.repair(crawler)

        assert shown_index(lossy.database) == {name: {"1.0": digest} for name, digest in images.items()}
        (window,) = lossy.windows()
        assert (window.open, window.repaired, window.closed_at) == (False, 2, lossy.now)
        assert get_freshness(database=lossy.database).possible_loss is None
        assert not lossy.repair(crawler)

    def test_counts_what_was_elsewhere_and_not_what_was_right(
        self, lossy: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        right, moved = pusher.image("team/a", "right"), pusher.image("team/a", "moved")
        where = {"repository": "team/a"}
        lossy.tell(push("right", right["digest"], 2, **where), push("moved", A, 3, **where), instance="two")

        lossy.repair(crawler)

        assert shown_index(lossy.database)["team/a"]["moved"] == moved["digest"]
        assert lossy.windows()[0].repaired == 1

    def test_is_narrowed_to_what_could_have_been_pushed_to(
        self, house: House, crawler: RepositoryCrawler, pusher: Pusher, proxy: RegistryProxy
    ) -> None:
        for name in ("team/a", "team/b", "team/c"):
            pusher.image(name, "1.0")
        house.grant("team/old", -5000)
        house.grant("team/a", -600)
        house.grant("team/b", 30)
        house.grant("team/c", 90)
        house.tell(pull(A, 1), instance="one")
        house.tell(pull(A, 60), instance="two")
        house.now += SETTLES_WITHIN
        proxy.seen.clear()

        house.repair(crawler)

        assert list(shown_index(house.database)) == ["team/a", "team/b"]
        assert not any(path == "/v2/_catalog" for _, path in proxy.seen)
        (window,) = house.windows()
        assert (window.everything, window.repositories, window.open) == (False, ["team/a", "team/b"], False)

    def test_is_narrowed_to_what_could_have_been_deleted_from_too(
        self, house: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        for name in ("team/a", "team/b", "team/c"):
            pusher.image(name, "1.0")
        house.grant("team/old", -5000)
        house.grant("team/a", 30, pushes=False)
        house.grant("team/b", 90, pushes=False)
        house.tell(pull(A, 1), instance="one")
        house.tell(pull(A, 60), instance="two")
        house.now += SETTLES_WITHIN

        house.repair(crawler)

        assert list(shown_index(house.database)) == ["team/a"]

    def test_is_not_narrowed_when_tokens_are_known_for_too_short_a_time(
        self, house: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        pusher.image("team/a", "1.0")
        house.tell(pull(A, 1), instance="one")
        house.grant("team/b", 30)
        house.tell(pull(A, 60), instance="two")
        house.now += SETTLES_WITHIN

        house.repair(crawler)

        assert list(shown_index(house.database)) == ["team/a"]

    def test_waits_longer_each_time_the_registry_is_away(
        self, lossy: House, crawler: RepositoryCrawler, proxy: RegistryProxy, pusher: Pusher
    ) -> None:
        pusher.image("team/a", "1.0")
        proxy.refuse = lambda request: Response("", 503)
        pauses = []
        for _ in range(3):
            assert lossy.repair(crawler)
            pauses.append(_due(lossy, 1) - lossy.now)
            lossy.now = _due(lossy, 1)

        assert pauses == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
        assert (lossy.windows()[0].open, lossy.windows()[0].attempts) == (True, 3)
        proxy.refuse = lambda request: None
        lossy.repair(crawler)
        assert not lossy.windows()[0].open

    @pytest.mark.parametrize("everything", [True, False])
    def test_what_was_lost_is_in_the_drift_report_with_its_cause(
        self, everything: bool, house: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        """And the window says how much of it is left."""
        image = pusher.image("team/app", "gone")
        pusher.image("team/app", "stays")
        house.grant("team/old", -5000)
        if not everything:
            house.grant("team/app", 30)
        house.tell(push("gone", image["digest"], 1, repository="team/app"), instance="one")
        pusher.delete("team/app", image["digest"])
        house.tell(pull(A, 60), instance="two")
        if everything:
            _let_it_concern_everything(house)
        house.now += SETTLES_WITHIN

        house.repair(crawler)

        (window,) = house.windows()
        assert (window.open, window.everything, window.repaired, window.left_open) == (False, everything, 1, 1)
        assert [(row.kind, row.namespace, row.tag, row.cause, row.state) for row in drift(house)] == [
            (Drift.MISSING_TAG, "team", "stays", Cause.LOST_EVENTS, State.REPAIRED),
            (Drift.PHANTOM_TAG, "team", "gone", Cause.LOST_EVENTS, State.OPEN),
        ]
        assert [row.crawl_id for row in drift(house)] == ([1, 1] if everything else [None, None])

    def test_what_a_repair_could_not_see_yet_is_explained_by_the_loss_at_the_next_round(
        self, house: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        """Also when only one crawl has ended before: what was written in the second of the look waits for it."""
        pusher.image("team/app", "1.0")
        go_round(house, crawler, kind=CrawlKind.FIRST)
        house.grant("team/app", 0)
        house.now = NOW + timedelta(hours=1)
        house.settle()
        house.now += SETTLES_WITHIN
        house.repair(crawler)
        assert [window.open for window in house.windows()] == [False]
        pusher.image("team/app", "2.0")

        go_round(house, crawler)

        assert [(row.tag, row.cause) for row in drift(house)] == [("2.0", Cause.LOST_EVENTS)]

    def test_a_round_after_it_knows_what_it_was(self, house: House, crawler: RepositoryCrawler, pusher: Pusher) -> None:
        """It is the same difference, and two crawls of their own have to find it before the index lets go of it."""
        lose_a_deletion(house, crawler, pusher)

        removed = [go_round(house, crawler).removed for _ in range(2)]

        (row,) = [row for row in drift(house) if row.kind is Drift.PHANTOM_TAG]
        assert (row.cause, row.state, row.rounds) == (Cause.LOST_EVENTS, State.REMOVED, 3)
        assert removed == [0, 1]

    def test_a_difference_that_is_over_is_resolved_by_the_next_round(
        self, house: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        lose_a_deletion(house, crawler, pusher)
        pusher.image("team/app", "gone")
        house.now += timedelta(minutes=1)

        go_round(house, crawler, verify=1)

        assert [row.state for row in drift(house) if row.kind is Drift.PHANTOM_TAG] == [State.RESOLVED]

    @pytest.mark.parametrize("known", [False, True])
    def test_what_is_found_while_a_round_is_under_way_is_not_over_at_its_end(
        self, known: bool, house: House, crawler: RepositoryCrawler, pusher: Pusher, proxy: RegistryProxy
    ) -> None:
        """The round had read the repository before; whether an earlier one knew the difference is all the same."""
        for name in ("team/app", "team/web"):
            pusher.image(name, "1.0")
        if known:
            house.tell(push("gone", A, 1, repository="team/app"), instance="one")
            go_round(house, crawler)
            pusher.image("team/app", "gone")
            house.now += timedelta(minutes=1)

        def lose(request: Request, _answer: Response) -> None:
            if "team/web/tags" in request.path and not house.windows():
                lose_a_deletion(house, crawler, pusher)

        proxy.spoil = lose

        go_round(house, crawler)

        assert [window.left_open for window in house.windows()] == [1]
        phantoms = [row for row in drift(house) if row.kind is Drift.PHANTOM_TAG]
        assert [(row.tag, row.state, row.crawl_id) for row in phantoms] == [("gone", State.OPEN, 1 if known else None)]

    def test_what_a_repository_tells_before_it_fails_is_kept_and_counted_once(
        self, house: House, crawler: RepositoryCrawler, pusher: Pusher, proxy: RegistryProxy
    ) -> None:
        proxy.refuse = refuses(503, "HEAD", "manifests/also")
        lose_a_deletion(house, crawler, pusher, "gone", "also")
        (window,) = house.windows()
        assert (window.open, window.repaired, window.left_open) == (True, 1, 0)
        assert [row.tag for row in drift(house)] == ["stays", "gone"]
        proxy.refuse = lambda request: None
        house.now = _due(house, window.id)

        house.repair(crawler)

        (window,) = house.windows()
        assert (window.open, window.repaired, window.left_open) == (False, 1, 2)
        assert [row.tag for row in drift(house)] == ["stays", "gone", "also"]

    def test_stays_open_when_the_catalogue_breaks_off(
        self, lossy: House, crawler: RepositoryCrawler, proxy: RegistryProxy, pusher: Pusher
    ) -> None:
        """Nobody knows what stands behind, and so all is read again."""
        for name in ("team/a", "team/b"):
            pusher.image(name, "1.0")
        page = Response('{"repositories": ["team/a"]}', headers={"Link": '<>; rel="next"'})
        proxy.spoil = lambda request, answer: page if request.path == "/v2/_catalog" else None

        lossy.repair(crawler)

        (window,) = lossy.windows()
        assert (window.open, window.everything, window.attempts) == (True, True, 1)
        proxy.spoil = lambda request, answer: None
        lossy.now = _due(lossy, 1)
        lossy.repair(crawler)
        assert not lossy.windows()[0].open
        assert list(shown_index(lossy.database)) == ["team/a", "team/b"]

    def test_tries_only_the_rest_again(
        self, lossy: House, crawler: RepositoryCrawler, proxy: RegistryProxy, pusher: Pusher
    ) -> None:
        for name in ("team/a", "team/b"):
            pusher.image(name, "1.0")
        proxy.refuse = lambda request: Response("", 503) if "team/b/tags" in request.path else None
        lossy.repair(crawler)
        (window,) = lossy.windows()
        assert (window.open, window.everything, window.repositories) == (True, False, ["team/b"])
        proxy.refuse = lambda request: None
        proxy.seen.clear()

        lossy.now = _due(lossy, window.id)
        lossy.repair(crawler)

        assert not any("team/a" in path for _, path in proxy.seen)
        assert (lossy.windows()[0].open, lossy.windows()[0].repaired) == (False, 2)

    def test_leaves_the_window_open_when_it_is_told_to_stop(
        self, lossy: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        pusher.image("team/a", "1.0")
        crawler.stop.set()

        lossy.repair(crawler)

        (window,) = lossy.windows()
        assert (window.open, window.attempts) == (True, 0)
        crawler.stop.clear()
        lossy.repair(crawler)
        assert not lossy.windows()[0].open

    def test_is_done_by_one_worker_at_a_time(
        self, lossy: House, crawler: RepositoryCrawler, proxy: RegistryProxy
    ) -> None:
        second: list[bool] = []

        def ask_meanwhile(request: Request) -> None:
            if not second:
                second.append(True)
                second[0] = repair_losses(crawler, holder="them", database=lossy.database, clock=lossy.clock)

        proxy.refuse = ask_meanwhile
        lossy.repair(crawler)

        assert second == [False]

    def test_a_crawl_of_everything_closes_the_windows_before_it(
        self, lossy: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        started_at = lossy.now
        report = crawl_registry(crawler, holder="us", database=lossy.database, clock=lossy.clock)
        assert report

        close_windows_covered_by(report, started_at=started_at, database=lossy.database, clock=lossy.clock)

        assert [window.open for window in lossy.windows()] == [False]

    def test_a_crawl_closes_no_window_that_was_opened_after_it_began(self, lossy: House) -> None:
        began = lossy.now - timedelta(days=1)
        close_windows_covered_by(
            CrawlReport(finished=True), started_at=began, database=lossy.database, clock=lossy.clock
        )

        assert [window.open for window in lossy.windows()] == [True]

    def test_a_crawl_that_was_broken_off_closes_none_that_was_opened_since_it_was_begun(self, lossy: House) -> None:
        taken_up_again = CrawlReport(finished=True, started_at=lossy.now - timedelta(days=1))

        assert _close_covered_by(lossy, taken_up_again) == 0

    def test_a_round_that_was_broken_off_is_left_to_those_who_know_its_pace(
        self, lossy: House, crawler: RepositoryCrawler, proxy: RegistryProxy
    ) -> None:
        with lossy.database.write() as connection:
            open_crawl(connection, CrawlKind.ROUND, now=lossy.now)

        lossy.repair(crawler)

        assert [window.open for window in lossy.windows()] == [True]
        assert proxy.seen == []
        with lossy.database.read() as connection:
            assert find_under_way(connection)

    def test_what_is_lost_while_everything_is_crawled_has_a_window_of_its_own(
        self, lossy: House, crawler: RepositoryCrawler, pusher: Pusher
    ) -> None:
        """The crawl may have been where it was lost already, and the window must not close with it."""
        pusher.image("team/app", "1.0")
        began = lossy.now
        with lossy.database.write() as connection:
            open_crawl(connection, CrawlKind.FULL, now=began)
        lossy.now += timedelta(minutes=30)
        lossy.tell(push("4.0", A, 120), instance="three")

        _close_covered_by(lossy, CrawlReport(finished=True, started_at=began))

        assert [(window.causes, window.open) for window in lossy.windows()] == [(1, False), (1, True)]

    def test_what_was_read_is_read_again_when_something_more_is_lost_of_it(
        self, house: House, crawler: RepositoryCrawler, proxy: RegistryProxy, pusher: Pusher
    ) -> None:
        for name in ("team/app", "team/bad"):
            pusher.image(name, "1.0")
            house.grant(name, 0)
        house.now = NOW + timedelta(hours=1)
        house.settle()
        proxy.refuse = refuses(503, "GET", "team/bad/")
        house.now += SETTLES_WITHIN
        house.repair(crawler)
        (window,) = house.windows()
        assert (window.open, window.attempts) == (True, 1)

        with house.database.write() as connection:
            concern(connection, window.id, [RepositoryName("team/app")])
            waiting = list_uncrawled(connection, window.id, after="", limit=9)

        assert waiting == ["team/app", "team/bad"]

    def test_a_worker_that_has_lost_its_lease_closes_nothing(
        self, house: House, crawler: RepositoryCrawler, proxy: RegistryProxy, pusher: Pusher
    ) -> None:
        pusher.image("team/app", "1.0")
        house.grant("team/app", 0)
        house.now = NOW + timedelta(hours=1)
        house.settle()
        house.now += SETTLES_WITHIN

        def take_over(request: Request) -> None:
            with house.database.write() as connection:
                connection.execute(update(leases).where(leases.c.name == LEASE).values(holder="them"))

        proxy.refuse = take_over

        house.repair(crawler)

        (window,) = house.windows()
        assert proxy.seen
        assert (window.open, window.attempts) == (True, 0)

    def test_a_lease_that_has_run_out_is_lost_also_where_nobody_has_it(self, lossy: House) -> None:
        """Somebody may have had it, and have let the window be widened behind what we have read of it."""
        lease = KeptLease("work", "us", ttl=timedelta(minutes=1), every=timedelta(hours=1), **lossy.place)
        with lossy.database.write() as connection:
            assert lease.take(connection)
            lease.hold(connection)
        lossy.now += timedelta(minutes=2)

        for _ in range(2):
            with pytest.raises(LeaseLost), lossy.database.write() as connection:
                lease.hold(connection)
            lossy.now -= timedelta(minutes=2)
        with pytest.raises(LeaseLost):
            lease.check()

    @pytest.mark.parametrize(
        "report",
        [
            CrawlReport(finished=False),
            CrawlReport(finished=True, failures=1, repositories=2),
            CrawlReport(finished=True, kind=CrawlKind.ROUND),
        ],
    )
    def test_a_crawl_that_left_something_out_closes_none(self, lossy: House, report: CrawlReport) -> None:
        assert _close_covered_by(lossy, report) == 0


class TestSilentPushes:
    """Somebody was let push, and nothing was heard of it."""

    @pytest.fixture
    def granted(self, house: House) -> House:
        house.now = moment(100)
        house.grant("team/a", 90)
        return house

    def later(self, house: House) -> House:
        """Let the token expire, and the grace pass."""
        house.now = moment(90 + 900 + 60)
        return house

    def test_before_the_token_has_expired_nobody_asks(self, granted: House) -> None:
        granted.now = moment(90 + 900)

        assert granted.settle() == 0

    def test_nothing_pushed_opens_a_window_for_that_repository(self, granted: House) -> None:
        assert self.later(granted).settle() == 1

        (window,) = granted.windows()
        assert (window.reason, window.registry, window.everything) == ("silent_push", "registry.example", False)
        assert window.repositories == ["team/a"]
        assert (window.since, window.until) == (moment(90), moment(990))

    def test_is_asked_once(self, granted: House) -> None:
        self.later(granted).settle()

        assert granted.settle() == 0
        assert len(granted.windows()) == 1

    def test_with_a_push_all_is_well(self, granted: House) -> None:
        granted.tell(push("1.0", A, 100, repository="team/a"), instance="one")

        self.later(granted).settle()

        assert granted.windows() == []

    def test_a_push_that_was_heard_of_before_the_grant_counts_too(self, house: House) -> None:
        """They come by different ways."""
        house.now = moment(100)
        house.tell(push(None, A, 95, repository="team/a"), instance="one")
        house.grant("team/a", 90)

        self.later(house).settle()

        assert house.windows() == []

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(push("1.0", A, 80, repository="team/a"), id="an earlier push"),
            pytest.param(push("1.0", A, 100, repository="team/b"), id="a push to another repository"),
            pytest.param(pull(A, 100, repository="team/a"), id="a pull"),
        ],
    )
    def test_anything_else_is_no_push(self, granted: House, other: Occurrence) -> None:
        granted.tell(other, instance="one")

        self.later(granted).settle()

        assert len(granted.windows()) == 1

    def test_many_are_one_window(self, house: House, crawler: RepositoryCrawler, pusher: Pusher) -> None:
        pusher.image("team/a", "1.0")
        for name in ("team/a", "team/b"):
            house.grant(name, 90)
        self.later(house).settle()
        house.grant("team/c", 90)
        house.settle()

        house.now += SETTLES_WITHIN
        house.repair(crawler)

        (window,) = house.windows()
        assert (window.repositories, window.open, window.repaired) == (["team/a", "team/b", "team/c"], False, 1)

    def test_too_many_are_all(self, house: House) -> None:
        for number in range(MAX_REPOSITORIES + 1):
            house.grant(f"team/a-{number}", 90)
        self.later(house)
        while house.settle():
            pass

        assert house.windows()[0].everything

    def test_a_repository_that_was_read_since_is_not_read_again(
        self, granted: House, crawler: RepositoryCrawler
    ) -> None:
        self.later(granted).settle()
        granted.now += SETTLES_WITHIN
        granted.repair(crawler)
        granted.grant("team/a", 91)

        granted.settle()

        assert len(granted.windows()) == 1

    def test_with_a_token_to_delete_no_push_is_expected(self, house: House) -> None:
        house.grant("team/a", 90, pushes=False)

        assert self.later(house).settle() == 1

        assert house.windows() == []

    def test_one_to_delete_that_came_too_late_for_a_restart_is_made_up_for(
        self, house: House, crawler: RepositoryCrawler
    ) -> None:
        house.grant("team/old", -5000)
        house.tell(push("1.0", A, 1, repository="team/a"), instance="one")
        house.tell(pull(A, 60), instance="two")
        house.now += SETTLES_WITHIN
        house.repair(crawler)
        house.grant("team/a", 0, pushes=False)

        self.later(house).settle()

        assert "team/a" in house.windows()[-1].repositories
        assert house.windows()[-1].open

    def test_a_grant_that_came_too_late_for_a_restart_is_made_up_for(
        self, house: House, crawler: RepositoryCrawler
    ) -> None:
        """Promise: a window that was narrowed leaves nobody out, not even one push of several."""
        house.grant("team/old", -5000)
        house.tell(push("1.0", A, 1, repository="team/late"), instance="one")
        house.tell(pull(A, 60), instance="two")
        house.now += SETTLES_WITHIN
        house.repair(crawler)
        house.grant("team/late", 0)

        house.settle()

        assert [window.repositories for window in house.windows() if window.reason == "silent_push"][-1] == [
            "team/late",
            "team/old",
        ]

    @pytest.mark.parametrize(
        "changes",
        [
            {"repository": "NO"},
            {"issued_at": "yesterday"},
            {"issued_at": "2026-11-23T12:00:00"},
            {"expires_at": "0001-01-01T00:00:00+00:00"},
            {"expires_at": 7},
        ],
        ids=str,
    )
    def test_what_is_no_grant_is_refused(self, house: House, changes: Mapping[str, object]) -> None:
        good = TokenPushGranted("team/a", NOW.isoformat(), NOW.isoformat())
        bad = _grant(good)

        with pytest.raises(InvalidMessage):
            note_push_grants(
                [_grant(good), replace(bad, data={**bad.data, **changes})], database=house.database, clock=house.clock
            )

        with house.database.read() as connection:
            assert connection.execute(select(push_grants)).all() == []

    def test_a_grant_counts_once(self, house: House) -> None:
        one = _grant(TokenPushGranted("team/a", NOW.isoformat(), NOW.isoformat()))

        assert [note_push_grants([one, one], database=house.database, clock=house.clock) for _ in range(2)] == [1, 0]


class TestGaps:
    """The registry has delivered more than arrived."""

    @pytest.fixture
    def counters(self) -> dict[str, int]:
        return {"http://a": 100}

    def read(self, house: House, counters: Mapping[str, int] | None, *, later: bool = True) -> int:
        if later:
            house.now += ARRIVES_WITHIN + timedelta(seconds=1)
        return count_deliveries(
            lambda: counters, holder="us", registry="registry.example", database=house.database, clock=house.clock
        )

    def test_opens_a_window_for_everything(self, house: House, counters: dict[str, int]) -> None:
        self.read(house, counters)
        began = house.now
        house.tell(pull(A, 1), instance="one")
        counters["http://a"] += 3
        self.read(house, counters)
        sent = house.now

        assert self.read(house, counters) == 2

        (window,) = house.windows()
        assert (window.reason, window.missing, window.everything) == ("gap", 2, True)
        assert (window.since, window.until) == (began, sent)

    def test_all_that_arrived_is_no_gap(self, house: House, counters: dict[str, int]) -> None:
        house.tell(pull(A, 1), instance="one")
        self.read(house, counters)
        for number in range(2, 5):
            house.tell(pull(A, number), instance="one")
            counters["http://a"] += 1
            assert self.read(house, counters) == 0

    def test_a_restart_counts_from_nothing(self, house: House, counters: dict[str, int]) -> None:
        self.read(house, counters)
        house.tell(pull(A, 1), instance="one")
        counters["http://a"] = 1
        self.read(house, counters)

        assert self.read(house, counters) == 0

    def test_a_process_that_is_asked_for_the_first_time_owes_nothing(
        self, house: House, counters: dict[str, int]
    ) -> None:
        self.read(house, counters)
        counters["http://b"] = 5000
        self.read(house, counters)

        assert self.read(house, counters) == 0

    def test_while_one_does_not_say_nothing_is_compared(self, house: House, counters: dict[str, int]) -> None:
        self.read(house, counters)

        assert self.read(house, None) == 0

    def test_purged_processes_still_count(self, house: House, counters: dict[str, int]) -> None:
        house.tell(pull(A, 1), instance="one")
        house.tell(pull(A, 2), instance="two")
        self.read(house, counters)
        house.now += INSTANCES_KEPT_FOR * 2
        purge_history(database=house.database, clock=house.clock)

        with house.database.read() as connection:
            assert connection.execute(select(registry_instances.c.id)).scalars().all() == ["two"]
            assert count_arrived(connection) == 2
        assert self.read(house, counters) == 0

    def test_one_worker_counts(self, house: House, counters: dict[str, int]) -> None:
        self.read(house, counters)
        asked: list[int] = []

        count_deliveries(
            lambda: asked.append(1), holder="them", registry="x", database=house.database, clock=house.clock
        )

        assert asked == []


def test_windows_that_were_closed_long_ago_are_forgotten(lossy: House) -> None:
    _close_all(lossy)
    lossy.tell(pull(A, 70), instance="three")
    lossy.now += WINDOWS_KEPT_FOR + timedelta(days=1)

    purge_history(database=lossy.database, clock=lossy.clock)

    assert [window.open for window in lossy.windows()] == [True]


def test_there_is_a_pause_after_a_window_was_closed(lossy: House, crawler: RepositoryCrawler) -> None:
    lossy.repair(crawler)
    lossy.tell(pull(A, 70), instance="three")

    assert _due(lossy, 2) == lossy.now + PAUSE
