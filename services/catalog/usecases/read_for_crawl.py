"""Reading repositories for a crawl that this or another worker does."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from services.catalog.domain.drift import Report
from services.catalog.storage.crawl_results import Result, add_results, note_heard
from services.catalog.storage.crawls import find_crawl
from services.catalog.storage.leases import find_holder
from services.catalog.usecases.crawl_outcomes import dump_crawled, dump_fault
from services.catalog.usecases.crawl_registry import LEASE
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.registry import RegistryError
from shared.clock import Clock
from shared.combining import Combined
from shared.contracts.events import RepositoryCrawlRequested
from shared.database import DATABASE_AWAY, Database
from shared.oci.names import RepositoryName, parse_repository_name

RESULTS_TOGETHER = 32

log = structlog.get_logger(__name__)


class NobodyAsks(Exception):
    """No crawl holds its lease at the moment: the one that has asked is over, or about to renew it."""


class TaskReader:
    """Does the tasks of crawls; may be used by several threads at once.

    Args:
        crawler_at: returns what reads single repositories at a rate (requests a second, 0 for none).
    """

    def __init__(self, crawler_at: Callable[[int], RepositoryCrawler], database: Database, clock: Clock) -> None:
        self._crawler_at = crawler_at
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way = 0
        self._run: str | None = None
        self._report: tuple[int, Report | None] | None = None
        self._results = Combined(self._add_all, limit=RESULTS_TOGETHER, blameless=DATABASE_AWAY)

    def find_run(self) -> str | None:
        """Return the run of a crawl that is under way, which may have tasks."""
        with self._database.read() as connection:
            self._run = find_holder(connection, LEASE, now=self._clock())
        return self._run

    def read(self, task: RepositoryCrawlRequested) -> bool:
        """Read a repository and tell who asked; ``False`` when we were told to stop before its end.

        Raises:
            InvalidName: no repository can be called so.
            NobodyAsks: it is not to be told whether the answer is wanted.
        """
        repository = parse_repository_name(task.repository)
        # What was the run a moment ago mostly is; whether a task is of another one is always asked.
        if task.run != self._run and task.run != (run := self.find_run()):
            if run is None:
                raise NobodyAsks
            return True
        with self._lock:
            self._under_way += 1
        try:
            result = self._result(task, repository)
        finally:
            with self._lock:
                self._under_way -= 1
        if result is None:
            return False
        self._results.do((task.crawl, repository, result))
        return True

    def _add_all(self, results: Sequence[Result]) -> Sequence[None]:
        with self._database.write() as connection:
            add_results(connection, results)
        return [None] * len(results)

    def tell_if_reading(self) -> None:
        """Let the crawl know that answers are still to come, if we are reading for it."""
        if self._under_way:
            with self._database.write() as connection:
                note_heard(connection, now=self._clock())

    def _result(self, task: RepositoryCrawlRequested, repository: RepositoryName) -> Mapping[str, Any] | None:
        crawler = self._crawler_at(task.rate)
        try:
            crawled = crawler.crawl(repository, deep=task.deep, report=self._report_of(task.crawl))
        except RegistryError as fault:
            return dump_fault(fault)
        except DATABASE_AWAY:
            raise
        except Exception as fault:
            # Told as a failure: whoever waits for it would wait for ever, and the next would fare no better.
            log.exception("crawl.task_failed", repository=repository)
            return dump_fault(RegistryError(f"a fault of ours: {type(fault).__name__}"))
        if crawler.stop.is_set() and not crawled.is_whole:
            return None
        return dump_crawled(crawled)

    def _report_of(self, crawl: int) -> Report | None:
        # One crawl is under way, and of what kind it is does not change.
        known = self._report
        if known is None or known[0] != crawl:
            with self._database.read() as connection:
                found = find_crawl(connection, crawl)
            known = self._report = (crawl, found.report if found else None)
        return known[1]
