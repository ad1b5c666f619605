"""A crawl: everything the registry holds becomes part of the index.

A crawl may be killed at any time and started again: what it has read is kept, and reading it again
changes nothing. Events that arrive meanwhile win where they are newer.
"""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from services.catalog.storage.crawls import is_first_crawl_due, open_crawl, save_crawl
from services.catalog.storage.leases import release_lease, take_lease
from services.catalog.usecases.crawl_repository import CrawledRepository, RepositoryCrawler
from services.catalog.usecases.registry import RegistryError, RegistryRefused
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName

LEASE = "crawl"
LEASE_TTL = timedelta(seconds=60)
RENEW_EVERY = timedelta(seconds=15)
THREADS = 8
"""Repositories that are read at the same time."""

MAX_NAMED = 1000
"""Repositories that a report names."""

REPORT_EVERY = 50
"""Repositories between two log lines."""

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Another worker has taken over the crawl."""


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """How far a crawl has come."""

    repositories: int = 0
    tags: int = 0
    failures: int = 0
    """Repositories that could not be read, in whole or in part."""
    finished: bool = False
    repaired: int = 0
    """Tags that were not in the index, or elsewhere there."""
    failed: tuple[RepositoryName, ...] = ()
    """Those that could not be read, the first ``MAX_NAMED`` of them."""


def is_crawl_due(*, database: Database) -> bool:
    """Tell whether what the registry held before Portus came is still to be read."""
    with database.read() as connection:
        return is_first_crawl_due(connection)


def crawl_registry(crawler: RepositoryCrawler, *, holder: str, database: Database, clock: Clock) -> CrawlReport | None:
    """Crawl the registry, unless another worker is doing so: then return ``None``.

    Args:
        crawler: reads single repositories; its ``stop`` ends the crawl early.
        holder: who we are, for the lease.

    Raises:
        RegistryError: the catalogue could not be read, or our token was refused; a repository that cannot
            be read is a failure in the report and is left as it was.
        LeaseLost: another worker has taken over.
    """
    with database.write() as connection:
        if not take_lease(connection, LEASE, holder, now=clock(), ttl=LEASE_TTL):
            return None
        crawl = open_crawl(connection, now=clock())
    log.info("crawl.started", crawl=crawl)
    run = _Run(crawl, crawler, holder, database, clock)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="crawl")
    try:
        run.read_all(pool)
    finally:
        pool.shutdown(cancel_futures=True)
        with database.write() as connection:
            release_lease(connection, LEASE, holder)
    log.info("crawl.ended", crawl=crawl, **_numbers(run.report), finished=run.report.finished)
    return run.report


class _Run:
    """One crawl under way."""

    def __init__(self, crawl: int, crawler: RepositoryCrawler, holder: str, database: Database, clock: Clock) -> None:
        self.report = CrawlReport()
        self._crawl = crawl
        self._crawler = crawler
        self._holder = holder
        self._database = database
        self._clock = clock
        self._renewed_at = clock()

    def read_all(self, pool: ThreadPoolExecutor) -> None:
        """Read every repository, a few at a time, and note how far we are."""
        under_way: dict[Future[CrawledRepository], RepositoryName] = {}
        for repository in self._names():
            under_way[pool.submit(self._crawler.crawl, repository)] = repository
            # No more than this waits, however long the catalogue is.
            while len(under_way) >= 2 * THREADS:
                self._collect(under_way)
        while under_way:
            self._collect(under_way)
        self._save(finished=not self._crawler.stop.is_set())

    def _names(self) -> Iterator[RepositoryName]:
        for repository in self._crawler.registry.list_repositories():
            if self._crawler.stop.is_set():
                return
            yield repository

    def _collect(self, under_way: dict[Future[CrawledRepository], RepositoryName]) -> None:
        done, _ = wait(under_way, timeout=RENEW_EVERY.total_seconds(), return_when=FIRST_COMPLETED)
        for future in done:
            self._count(under_way.pop(future), future)
        self._renew()

    def _count(self, repository: RepositoryName, future: Future[CrawledRepository]) -> None:
        report = replace(self.report, repositories=self.report.repositories + 1)
        try:
            crawled = future.result()
        except RegistryRefused:
            # It would refuse all the others too.
            raise
        except RegistryError as fault:
            log.warning("crawl.repository_failed", repository=repository, fault=str(fault))
            self.report = _with_failure(report, repository)
        else:
            report = replace(report, tags=report.tags + crawled.tags, repaired=report.repaired + crawled.repaired)
            is_bad = bool(crawled.failures) or not crawled.is_whole
            self.report = _with_failure(report, repository) if is_bad else report
        if self.report.repositories % REPORT_EVERY == 0:
            self._save(finished=False)

    def _renew(self) -> None:
        now = self._clock()
        if now - self._renewed_at < RENEW_EVERY:
            return
        with self._database.write() as connection:
            if not take_lease(connection, LEASE, self._holder, now=now, ttl=LEASE_TTL):
                raise LeaseLost("another worker has taken over the crawl")
        self._renewed_at = now

    def _save(self, *, finished: bool) -> None:
        self.report = replace(self.report, finished=finished)
        with self._database.write() as connection:
            save_crawl(
                connection, self._crawl, **_numbers(self.report), finished_at=self._clock() if finished else None
            )
        log.info("crawl.progress", crawl=self._crawl, **_numbers(self.report))


def _with_failure(report: CrawlReport, repository: RepositoryName) -> CrawlReport:
    failed = report.failed if len(report.failed) == MAX_NAMED else (*report.failed, repository)
    return replace(report, failures=report.failures + 1, failed=failed)


def _numbers(report: CrawlReport) -> dict[str, int]:
    return {"repositories": report.repositories, "tags": report.tags, "failures": report.failures}
