"""Loss windows are worked off: what events may have told is read from the registry instead.

One worker at a time does it, under a lease, and it may be killed at any time.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from services.catalog.domain.drift import LEFT_BY_LOSSES, Finding, Report
from services.catalog.domain.losses import Reason
from services.catalog.storage.crawls import find_under_way
from services.catalog.storage.drift import file_findings
from services.catalog.storage.loss_windows import (
    MAX_REPOSITORIES,
    OpenWindow,
    begin_due,
    close,
    close_covered,
    find_open,
    list_uncrawled,
    narrow,
    note_crawled,
    postpone,
)
from services.catalog.storage.push_grants import list_granted, note_read
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_readers import TasksNotTaken
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import CrawledRepository, RepositoryCrawler
from services.catalog.usecases.kept_lease import KeptLease, LeaseLost
from services.catalog.usecases.push_grants import CLOCKS_DIFFER_BY
from services.catalog.usecases.registry import RegistryError, RegistryRefused
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName, split_namespace

LEASE = "losses"
LEASE_TTL = timedelta(seconds=120)
RENEW_EVERY = timedelta(seconds=30)
BATCH_SIZE = 50
"""Repositories of which is noted together that they were read."""
THREADS = 4
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)

log = structlog.get_logger(__name__)


def repair_losses(
    crawler: RepositoryCrawler, *, holder: str, database: Database, clock: Clock, plan: CrawlPlan | None = None
) -> bool:
    """Work off the oldest window that is due, and tell whether there was one.

    Args:
        crawler: reads single repositories; its ``stop`` ends the work early, and the window stays open.
        holder: who we are, for the lease.
        plan: of the crawl of everything, when a window concerns everything.
    """
    lease = KeptLease(LEASE, holder, ttl=LEASE_TTL, every=RENEW_EVERY, database=database, clock=clock)
    with database.write() as connection:
        if not lease.take(connection):
            return False
        window = begin_due(connection, now=clock())
        window = window and _narrowed(connection, window)
    with lease:
        if window:
            _Work(window, crawler, holder, lease, database, clock, plan or CrawlPlan()).do()
    return window is not None


def close_windows_covered_by(report: CrawlReport, *, started_at: datetime, database: Database, clock: Clock) -> int:
    """Close the windows that a crawl of the whole registry has put right, and return how many.

    Args:
        started_at: when it was begun, or taken up again.
    """
    if not _is_whole(report):
        return 0
    # What it had read before it was broken off was read before windows that were opened since.
    began_at = min(started_at, report.started_at or started_at)
    with database.write() as connection:
        return close_covered(
            connection, started_at=began_at, repaired=report.repaired, left_open=report.left_open, now=clock()
        )


def _is_whole(report: CrawlReport) -> bool:
    """Tell whether every tag of every repository was looked at; a round looks at those of a few."""
    return report.finished and not report.failures and report.kind.is_deep


def _narrowed(connection: Connection, window: OpenWindow) -> OpenWindow | None:
    """Let a window concern what anybody could have pushed to, where that is known."""
    if not window.everything or window.reason != Reason.RESTART:
        return window
    span = {"since": window.since - CLOCKS_DIFFER_BY, "until": window.until + CLOCKS_DIFFER_BY}
    granted = list_granted(connection, **span, limit=MAX_REPOSITORIES)
    if granted is None:
        return window
    narrow(connection, window.id, granted)
    return find_open(connection, window.id)


def _left(crawled: CrawledRepository) -> Sequence[Finding]:
    """Return the differences that were found, and that events would have told."""
    return [
        replace(one, namespace=split_namespace(one.repository).namespace)
        for one in crawled.findings
        if one.kind in LEFT_BY_LOSSES and one.repository
    ]


class _Work:
    """One window under way."""

    def __init__(
        self,
        window: OpenWindow,
        crawler: RepositoryCrawler,
        holder: str,
        lease: KeptLease,
        database: Database,
        clock: Clock,
        plan: CrawlPlan,
    ) -> None:
        self._window = window
        self._crawler = crawler
        self._holder = holder
        self._lease = lease
        self._database = database
        self._clock = clock
        self._plan = plan

    def do(self) -> None:
        """Crawl, and close the window or let it wait."""
        log.info("losses.repairing", window=self._window.id, everything=self._window.everything)
        try:
            self._settle(self._is_repaired())
        except LeaseLost as fault:
            # It is somebody else's, who may have let it be widened since we have looked at it.
            log.warning("losses.repair_given_up", window=self._window.id, fault=str(fault))

    def _is_repaired(self) -> bool:
        try:
            return self._crawl_everything() if self._window.everything else self._crawl_listed()
        except (RegistryError, LeaseLost, TasksNotTaken) as fault:
            log.warning("losses.repair_postponed", window=self._window.id, fault=str(fault))
            return False

    def _settle(self, done: bool) -> None:
        # Whoever is told to stop leaves the window as it is, for the next to take it up at once.
        if done:
            self._close()
        elif not self._crawler.stop.is_set():
            self._postpone()

    def _crawl_everything(self) -> bool:
        began_at = self._clock()
        with self._database.read() as connection:
            under_way = find_under_way(connection)
        if under_way and not under_way.kind.is_deep:
            # A round goes on as it was planned, with its pace and its share: whoever does the rounds does that.
            return False
        report = crawl_registry(
            self._crawler, holder=self._holder, database=self._database, clock=self._clock, plan=self._plan
        )
        if report is None or not report.finished or not self._is_covered_by(report, began_at):
            # One that somebody else had begun was only brought to its end; the next is ours.
            return False
        if not report.failures:
            close_windows_covered_by(report, started_at=began_at, database=self._database, clock=self._clock)
            return True
        if not report.knows_unread:
            return False
        # What was read is as it should be; only the rest is tried again.
        with self._database.write() as connection:
            narrow(connection, self._window.id, report.failed)
            counts = {"repaired": report.repaired, "left_open": report.left_open}
            note_crawled(connection, self._window.id, [], **counts, now=self._clock())
        return False

    def _is_covered_by(self, report: CrawlReport, began_at: datetime) -> bool:
        # A registry's clock may be ahead; what we have begun ourselves is late enough whatever it says.
        needed_since = max(self._window.opened_at, min(self._window.until, began_at))
        return report.kind.is_deep and report.started_at is not None and report.started_at >= needed_since

    def _crawl_listed(self) -> bool:
        is_whole, after = True, ""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="losses") as pool:
            while batch := self._next_batch(after):
                is_whole &= self._crawl_batch(pool, batch)
                after = batch[-1]
                if self._crawler.stop.is_set():
                    return False
        return is_whole

    def _next_batch(self, after: str) -> Sequence[RepositoryName]:
        with self._database.write() as connection:
            self._lease.hold(connection)
            return list_uncrawled(connection, self._window.id, after=after, limit=BATCH_SIZE)

    def _crawl_batch(self, pool: ThreadPoolExecutor, batch: Sequence[RepositoryName]) -> bool:
        started_at = self._clock()
        results = dict(zip(batch, pool.map(self._crawl, batch), strict=True))
        found = {name: crawled for name, crawled in results.items() if crawled}
        good = [name for name, crawled in found.items() if crawled.is_whole and not crawled.failures]
        repaired = sum(crawled.repaired for crawled in found.values())
        # What could not be read to its end is read again, and counted then.
        left_open = sum(len(_left(found[name])) for name in good)
        with self._database.write() as connection:
            for crawled in found.values():
                # While the window is open, so that lost events are the cause.
                file_findings(connection, _left(crawled), crawl=None, now=self._clock())
            note_crawled(connection, self._window.id, good, repaired=repaired, left_open=left_open, now=self._clock())
            note_read(connection, good, at=started_at)
        return len(good) == len(batch)

    def _crawl(self, repository: RepositoryName) -> CrawledRepository | None:
        """Return what was found; ``None`` when the repository could not be read."""
        try:
            return self._crawler.crawl(repository, report=Report(None))
        except RegistryRefused:
            # It would refuse all the others too.
            raise
        except RegistryError as fault:
            log.warning("losses.repository_failed", repository=repository, fault=str(fault))
            return None

    def _close(self) -> None:
        with self._database.write() as connection:
            self._lease.hold(connection)
            close(connection, self._window.id, now=self._clock())
        log.info("losses.repaired", window=self._window.id)

    def _postpone(self) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._window.attempts, 10))
        with self._database.write() as connection:
            self._lease.hold(connection)
            postpone(connection, self._window.id, until=self._clock() + pause)
