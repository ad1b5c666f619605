"""A crawl under way: repositories are read a few at a time, counted in order, and how far we are is written down."""

from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.catalog.domain.drift import PUT_RIGHT, Finding, Kind
from services.catalog.storage.crawls import Crawl, save_crawl
from services.catalog.storage.rounds import count_filled, list_to_verify, note_tried, note_verified
from services.catalog.usecases.crawl_catalogue import CrawlCatalogue
from services.catalog.usecases.crawl_drift import CrawlDrift
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_readers import Readers
from services.catalog.usecases.crawl_reports import CrawlReport, CrawlTally
from services.catalog.usecases.crawl_repository import CrawledRepository, RepositoryCrawler
from services.catalog.usecases.kept_lease import KeptLease
from services.catalog.usecases.registry import RegistryError, RegistryRefused, RegistryUnavailable
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName

WINDOW = 32
"""So many times as many may be under way or read: one that takes long holds nobody up for a while."""

REPORT_EVERY = 50
"""Repositories between two log lines."""

MAX_UNANSWERED = 20
"""After so many repositories in a row without an answer we ask whether the registry is there at all."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A repository that is being read, or has been."""

    repository: RepositoryName
    is_listed: bool
    """Whether the registry's catalogue names it."""
    is_deep: bool
    """Whether every tag is to be looked at."""
    future: Future[CrawledRepository]


class CrawlRun:
    """One crawl under way.

    Args:
        crawl: as it was written down last.
        crawler: reads single repositories; its ``stop`` ends the crawl early.
        lease: held while anything is written down.
        readers: do the reading.
    """

    def __init__(
        self,
        crawl: Crawl,
        crawler: RepositoryCrawler,
        plan: CrawlPlan,
        lease: KeptLease,
        database: Database,
        clock: Clock,
        readers: Readers,
    ) -> None:
        self._tally = CrawlTally(crawl)
        self._catalogue = CrawlCatalogue(crawl, crawler, self._tally, database)
        self._drift = CrawlDrift(crawl, crawler, plan, lease, self._tally, database, clock)
        self._crawl = crawl
        self._crawler = crawler
        self._plan = plan
        self._lease = lease
        self._database = database
        self._clock = clock
        self._readers = readers
        self._position = crawl.position
        self._under_way: deque[_Reading] = deque()
        self._verified = list[RepositoryName]()
        self._tried = list[RepositoryName]()
        self._counted = list[RepositoryName]()
        self._is_left_off = False
        self._unanswered = 0
        self._before_silence = (self._position, self.report)
        self._to_verify = self._find_to_verify()

    @property
    def report(self) -> CrawlReport:
        """How far it has come."""
        return self._tally.report

    def read_all(self) -> None:
        """Read every repository, a few at a time, and note how far we are."""
        for repository in self._catalogue.list_named():
            self._submit(repository, is_listed=True)
        self._drain()
        for repository in self._catalogue.list_unnamed():
            self._submit(repository, is_listed=False)
        self._drain()
        if self._crawler.stop.is_set():
            self._save(finished_at=None)
        else:
            self._finish()

    def _find_to_verify(self) -> Collection[RepositoryName]:
        if self._crawl.kind.is_deep:
            return ()
        with self._database.read() as connection:
            share = self._plan.share(count_filled(connection))
            return list_to_verify(connection, before=self._clock() - self._plan.verify_within, limit=share)

    def _note_verified(self) -> None:
        if self._verified:
            with self._database.write() as connection:
                note_verified(connection, self._verified, now=self._clock())
            self._verified.clear()

    def _note_tried(self) -> None:
        # What got no answer may be the registry that is going away, and then nobody has had a turn.
        if self._tried and not self._unanswered:
            with self._database.write() as connection:
                note_tried(connection, self._tried, now=self._clock())
            self._tried.clear()

    def _submit(self, repository: RepositoryName, *, is_listed: bool) -> None:
        deep = self._crawl.kind.is_deep or repository in self._to_verify
        future = self._readers.submit(repository, deep=deep)
        self._under_way.append(_Reading(repository, is_listed, deep, future))
        # No more than this waits, however long the catalogue is.
        while len(self._under_way) >= WINDOW * self._plan.threads:
            self._collect()

    def _drain(self) -> None:
        while self._under_way:
            self._collect()

    def _collect(self) -> None:
        """Count the repository that was begun first, so that all up to the position are always read."""
        wait([self._under_way[0].future], timeout=self._lease.every_s)
        if self._under_way[0].future.done():
            self._count(self._under_way.popleft())
        self._lease.check()

    def _count(self, reading: _Reading) -> None:
        try:
            crawled = reading.future.result()
            # What is half read because we are told to stop is read by whoever goes on, and all behind it.
            self._is_left_off |= self._crawler.stop.is_set() and not crawled.is_whole
            if self._is_left_off:
                return
            self._note(reading, crawled)
            self._unanswered = 0
        except CancelledError:
            # We were told to stop while somebody else was still reading.
            self._is_left_off = True
            return
        except RegistryRefused:
            # It would refuse all the others too.
            raise
        except RegistryError as fault:
            log.warning("crawl.repository_failed", repository=reading.repository, fault=str(fault))
            if self._is_left_off:
                return
            self._note_silence(fault)
            self._note_failure(reading.repository, is_deep=reading.is_deep)
        self._tally.add(repositories=1)
        self._counted.append(reading.repository)
        if reading.is_listed:
            self._position = reading.repository
        if self.report.repositories % REPORT_EVERY == 0:
            self._save(finished_at=None)

    def _note(self, reading: _Reading, crawled: CrawledRepository) -> None:
        is_bad = bool(crawled.failures) or not crawled.is_whole
        verified = crawled.is_deep and not is_bad
        self._tally.add(
            tags=crawled.tags,
            repaired=crawled.repaired,
            verified=verified,
            drift=crawled.repaired if self._crawl.report else 0,
        )
        if is_bad:
            self._note_failure(reading.repository, is_deep=crawled.is_deep)
        if crawled.untold:
            log.warning("crawl.differences_untold", repository=reading.repository, tags=crawled.untold)
            self._tally.note_half_told(reading.repository)
        findings = self._worth_filing(reading, crawled)
        if findings:
            self._drift.file(reading.repository, findings, seen_at=crawled.seen_at, removes=self._removes)
        if verified:
            self._verified.append(reading.repository)

    def _note_silence(self, fault: RegistryError) -> None:
        """Break the crawl off before the first of many that got no answer, if the catalogue does not come either.

        Raises:
            RegistryUnavailable: it does not.
        """
        if not isinstance(fault, RegistryUnavailable):
            self._unanswered = 0
            return
        if self._unanswered == 0:
            self._before_silence = (self._position, self.report)
        self._unanswered += 1
        if self._unanswered < MAX_UNANSWERED:
            return
        try:
            next(iter(self._crawler.registry.list_repositories()), None)
        except RegistryUnavailable:
            self._position, before = self._before_silence
            self._tally.report = before
            self._save(finished_at=None)
            raise
        self._unanswered = 0

    def _note_failure(self, repository: RepositoryName, *, is_deep: bool) -> None:
        if is_deep:
            self._tried.append(repository)
        self._tally.note_failure(repository)

    def _worth_filing(self, reading: _Reading, crawled: CrawledRepository) -> Sequence[Finding]:
        findings = list(crawled.findings)
        if not reading.is_listed:
            findings = [finding for finding in findings if finding.kind is not Kind.GHOST_REPOSITORY]
            if crawled.tags and self._catalogue.is_whole:
                findings.append(Finding(Kind.UNLISTED_REPOSITORY, reading.repository))
        if not self._crawl.report:
            # A worker of an earlier version tells us what it has put right.
            return [finding for finding in findings if finding.kind not in PUT_RIGHT]
        return findings

    @property
    def _removes(self) -> bool:
        # A catalogue that names nothing while the index holds images is a volume that is not mounted more
        # often than a registry that somebody has emptied.
        return self._plan.removes and self._catalogue.names_any

    def _finish(self) -> None:
        # What got no answer got none alone: the registry was there to the end.
        self._unanswered = 0
        self._note_tried()
        self._note_verified()
        self._drift.finish()
        self._save(finished_at=self._clock())

    def _save(self, *, finished_at: datetime | None) -> None:
        # Whoever goes on behind the position must not take what lies before it for unlisted.
        self._catalogue.note()
        self._note_verified()
        self._note_tried()
        self._tally.update(finished=finished_at is not None)
        position = None if self.report.finished else self._position
        with self._database.write() as connection:
            self._lease.hold(connection)
            save_crawl(
                connection, self._crawl.id, dict(self.report.numbers), position=position, finished_at=finished_at
            )
        self._readers.settle(self._counted)
        self._counted.clear()
        log.info("crawl.progress", crawl=self._crawl.id, **self.report.numbers)
