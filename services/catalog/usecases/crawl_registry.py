"""A crawl: the index is compared with the registry and put right.

A crawl may be killed at any time and started again: what it has read is kept, and it goes on behind
the last repository before which all are read. Events that arrive meanwhile win where they are newer.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from services.catalog.domain.drift import LEFT_BY_LOSSES, PUT_RIGHT, Finding
from services.catalog.domain.drift import Kind as DriftKind
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawl_results import drop_results
from services.catalog.storage.crawls import (
    Crawl,
    find_crawl,
    find_under_way,
    is_first_crawl_due,
    note_fault,
    note_restart,
    open_crawl,
    save_crawl,
)
from services.catalog.storage.drift import close_removed, close_resolved, count_drift, file_findings
from services.catalog.storage.repositories import lock_repositories
from services.catalog.storage.rounds import (
    count_filled,
    list_namespaces,
    list_overdue,
    list_to_verify,
    list_unlisted,
    note_listed,
    note_tried,
    note_verified,
)
from services.catalog.usecases.crawl_readers import NewReaders, OwnReaders, Readers, TasksNotTaken
from services.catalog.usecases.crawl_repository import CrawledRepository, RepositoryCrawler
from services.catalog.usecases.kept_lease import KeptLease
from services.catalog.usecases.registry import InvalidAnswer, RegistryError, RegistryRefused, RegistryUnavailable
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName, split_namespace
from shared.upstream import UpstreamError

LEASE = "crawl"
LEASE_TTL = timedelta(seconds=60)
RENEW_EVERY = timedelta(seconds=15)
THREADS = 8
"""Repositories that are read at the same time, unless another number is asked for."""

WINDOW = 32
"""So many times as many may be under way or read: one that takes long holds nobody up for a while."""

MAX_NAMED = 1000
"""Repositories that a report names."""

REPORT_EVERY = 50
"""Repositories between two log lines."""

MAX_UNANSWERED = 20
"""After so many repositories in a row without an answer we ask whether the registry is there at all."""

_NUMBERS = ("repositories", "tags", "failures", "repaired", "removed", "verified", "drift", "half_told")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """How far a crawl has come."""

    repositories: int = 0
    tags: int = 0
    failures: int = 0
    """Repositories that could not be read, in whole or in part; and the catalogue, where it broke off."""
    finished: bool = False
    repaired: int = 0
    """Tags that were not in the index, or elsewhere there."""
    failed: tuple[RepositoryName, ...] = ()
    """Those that could not be read, the first ``MAX_NAMED`` of them since the last start."""
    removed: int = 0
    """Tags that were taken out of the index."""
    verified: int = 0
    """Repositories of which every tag was looked at."""
    drift: int = 0
    """Differences that were found."""
    half_told: int = 0
    """Repositories of which not every difference was told: they are too many."""
    left_open: int = field(default=0, compare=False)
    """Differences among them that events would have told, and that are there still; known at the end."""
    kind: CrawlKind = field(default=CrawlKind.FULL, compare=False)
    """What it was; one that was taken up again is of its own kind, whatever was asked for."""
    started_at: datetime | None = field(default=None, compare=False)
    """When it was begun, before it was ever broken off."""

    @property
    def numbers(self) -> Mapping[str, int]:
        """What is written down."""
        return {name: getattr(self, name) for name in _NUMBERS}

    @property
    def knows_unread(self) -> bool:
        """Whether ``failed`` names every repository that was not read."""
        return self.failures == len(self.failed)


@dataclass(frozen=True, slots=True)
class CrawlPlan:
    """What is crawled, and how.

    Args:
        kind: of a crawl that begins; one that was broken off goes on as what it was.
        removes: whether what the registry does not have at two crawls is taken out of the index; nothing is by a
            crawl whose catalogue names no repository at all.
        share: tells of how many repositories a round looks at every tag.
        verify_within: a repository that was looked at since then needs no look.
        unknown_namespaces: tells which of some namespaces nobody has made; ``None``: nobody can tell.
        threads: repositories that are read at the same time, here or by each worker.
        new_readers: makes what reads repositories; ``None``: threads of our own.
        rate: requests a second, where the crawl is paced; 0: as many as it can.
        requested_by: who asked for it.
    """

    kind: CrawlKind = CrawlKind.FULL
    removes: bool = False
    share: Callable[[int], int] = lambda repositories: repositories
    verify_within: timedelta = timedelta(0)
    unknown_namespaces: Callable[[Collection[str]], Collection[str]] | None = None
    threads: int = THREADS
    new_readers: NewReaders | None = None
    rate: int = 0
    requested_by: str | None = None


def is_crawl_due(*, database: Database) -> bool:
    """Tell whether what the registry held before Portus came is still to be read."""
    with database.read() as connection:
        return is_first_crawl_due(connection)


def crawl_registry(
    crawler: RepositoryCrawler, *, holder: str, database: Database, clock: Clock, plan: CrawlPlan | None = None
) -> CrawlReport | None:
    """Crawl the registry, unless another worker is doing so: then return ``None``.

    Args:
        crawler: reads single repositories; its ``stop`` ends the crawl early.
        holder: who we are, for the lease.
        plan: everything, unless something else is said.

    Raises:
        RegistryError: the catalogue could not be read, or our token was refused; a repository that cannot
            be read is a failure in the report and is left as it was.
        TasksNotTaken: the broker takes no tasks.
        LeaseLost: another worker has taken over.
    """
    plan = plan or CrawlPlan()
    lease = KeptLease(LEASE, holder, ttl=LEASE_TTL, every=RENEW_EVERY, database=database, clock=clock)
    crawl = _begin(plan, lease, database, clock)
    if crawl is None:
        return None
    log.info("crawl.started", crawl=crawl.id, kind=crawl.kind, position=crawl.position)
    with lease, closing(_new_readers(crawl, crawler, plan, holder)) as readers:
        run = _Run(crawl, crawler, plan, lease, database, clock, readers)
        try:
            run.read_all()
        except (RegistryError, TasksNotTaken) as fault:
            with database.write() as connection:
                note_fault(connection, crawl.id, str(fault))
            raise
    log.info("crawl.ended", crawl=crawl.id, **run.report.numbers, finished=run.report.finished)
    return run.report


def _new_readers(crawl: Crawl, crawler: RepositoryCrawler, plan: CrawlPlan, holder: str) -> Readers:
    if plan.new_readers is None:
        return OwnReaders(crawler, plan.threads, crawl.report)
    return plan.new_readers(crawl.id, holder, plan.rate if crawl.is_paced else 0)


def _begin(plan: CrawlPlan, lease: KeptLease, database: Database, clock: Clock) -> Crawl | None:
    with database.write() as connection:
        if not lease.take(connection):
            return None
        broken_off = find_under_way(connection)
        if broken_off:
            note_restart(connection, broken_off.id)
            return broken_off
        return find_crawl(connection, open_crawl(connection, plan.kind, now=clock(), requested_by=plan.requested_by))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A repository that is being read, or has been."""

    repository: RepositoryName
    is_listed: bool
    """Whether the registry's catalogue names it."""
    is_deep: bool
    """Whether every tag is to be looked at."""
    future: Future[CrawledRepository]


class _Run:
    """One crawl under way."""

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
        numbers = {name: getattr(crawl, name) for name in _NUMBERS}
        self.report = CrawlReport(**numbers, kind=crawl.kind, started_at=crawl.started_at)
        self._crawl = crawl
        self._crawler = crawler
        self._plan = plan
        self._lease = lease
        self._database = database
        self._clock = clock
        self._readers = readers
        self._position = crawl.position
        self._under_way: deque[_Reading] = deque()
        self._named = list[RepositoryName]()
        self._verified = list[RepositoryName]()
        self._tried = list[RepositoryName]()
        self._half_told = list[RepositoryName]()
        self._counted = list[RepositoryName]()
        self._is_left_off = False
        self._names_any = self._position is not None
        self._is_listed_whole = True
        self._unanswered = 0
        self._before_silence = (self._position, self.report)
        self._to_verify = self._find_to_verify()

    def read_all(self) -> None:
        """Read every repository, a few at a time, and note how far we are."""
        for repository in self._listed():
            self._submit(repository, is_listed=True)
        self._drain()
        for repository in self._unlisted():
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

    def _listed(self) -> Iterator[RepositoryName]:
        """Yield what the registry's catalogue names, from where the crawl was broken off."""
        try:
            for repository in self._crawler.registry.list_repositories(after=self._position or ""):
                if self._crawler.stop.is_set():
                    return
                self._named.append(repository)
                self._names_any = True
                if len(self._named) >= REPORT_EVERY:
                    self._note_listed()
                yield repository
        except InvalidAnswer as fault:
            if not self._names_any:
                raise
            self._note_broken_catalogue(fault)
        self._note_listed()

    def _note_broken_catalogue(self, fault: InvalidAnswer) -> None:
        """Go on with what the index has: a catalogue that stays broken must not end all comparing."""
        log.warning("crawl.catalogue_breaks_off", fault=str(fault))
        self._is_listed_whole = False
        # It counts, and has no name: so nobody takes what was not named for read.
        self.report = replace(self.report, failures=self.report.failures + 1)
        with self._database.write() as connection:
            note_fault(connection, self._crawl.id, str(fault))

    def _note_listed(self) -> None:
        if self._named:
            with self._database.write() as connection:
                note_listed(connection, self._named, self._crawl.id)
            self._named.clear()

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

    def _unlisted(self) -> Iterator[RepositoryName]:
        """Yield what the index has and the registry's catalogue has not named."""
        if self._crawler.stop.is_set():
            return
        with self._database.read() as connection:
            names = list(list_unlisted(connection, self._crawl.id, before=self._crawl.started_at))
        for name in names:
            if self._crawler.stop.is_set():
                return
            yield name

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
        wait([self._under_way[0].future], timeout=RENEW_EVERY.total_seconds())
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
        self.report = replace(self.report, repositories=self.report.repositories + 1)
        self._counted.append(reading.repository)
        if reading.is_listed:
            self._position = reading.repository
        if self.report.repositories % REPORT_EVERY == 0:
            self._save(finished_at=None)

    def _note(self, reading: _Reading, crawled: CrawledRepository) -> None:
        is_bad = bool(crawled.failures) or not crawled.is_whole
        verified = crawled.is_deep and not is_bad
        self.report = replace(
            self.report,
            tags=self.report.tags + crawled.tags,
            repaired=self.report.repaired + crawled.repaired,
            verified=self.report.verified + verified,
            drift=self.report.drift + (crawled.repaired if self._crawl.report else 0),
        )
        if is_bad:
            self._note_failure(reading.repository, is_deep=crawled.is_deep)
        if crawled.untold:
            log.warning("crawl.differences_untold", repository=reading.repository, tags=crawled.untold)
            self._note_half_told(reading.repository)
        findings = self._worth_filing(reading, crawled)
        if findings:
            self._file(reading.repository, findings, seen_at=crawled.seen_at)
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
            self._position, self.report = self._before_silence
            self._save(finished_at=None)
            raise
        self._unanswered = 0

    def _note_failure(self, repository: RepositoryName, *, is_deep: bool) -> None:
        if is_deep:
            self._tried.append(repository)
        failed = self.report.failed if len(self.report.failed) == MAX_NAMED else (*self.report.failed, repository)
        self.report = replace(self.report, failures=self.report.failures + 1, failed=failed)

    def _note_half_told(self, repository: RepositoryName) -> None:
        self.report = replace(self.report, half_told=self.report.half_told + 1)
        if len(self._half_told) < MAX_NAMED:
            self._half_told.append(repository)

    @property
    def _knows_untold(self) -> bool:
        """Whether we know the names of all of which too little was told: those before us did not write theirs down."""
        return self.report.half_told == len(self._half_told)

    def _worth_filing(self, reading: _Reading, crawled: CrawledRepository) -> Sequence[Finding]:
        findings = list(crawled.findings)
        if not reading.is_listed:
            findings = [finding for finding in findings if finding.kind is not DriftKind.GHOST_REPOSITORY]
            if crawled.tags and self._is_listed_whole:
                findings.append(Finding(DriftKind.UNLISTED_REPOSITORY, reading.repository))
        if not self._crawl.report:
            # A worker of an earlier version tells us what it has put right.
            return [finding for finding in findings if finding.kind not in PUT_RIGHT]
        return findings

    def _file(self, repository: RepositoryName, findings: Sequence[Finding], *, seen_at: datetime | None) -> None:
        namespace = split_namespace(repository).namespace
        findings = [replace(finding, namespace=namespace) for finding in findings]
        with self._database.write() as connection:
            self._lease.hold(connection)
            if any(finding.kind is DriftKind.GHOST_REPOSITORY for finding in findings):
                # It is listed among the others, also when nothing was ever seen in it.
                lock_repositories(connection, [repository], now=self._clock())
            again = file_findings(connection, findings, crawl=self._crawl.id, now=self._clock())
            # Whoever goes on after a crash must not file them twice.
            drop_results(connection, self._crawl.id, [repository])
        removed = 0
        if again and seen_at and self._removes:
            removed = self._crawler.forget(repository, again, seen_at=seen_at)
            with self._database.write() as connection:
                close_removed(connection, repository, again, now=self._clock())
        drift = self.report.drift + len(findings)
        self.report = replace(self.report, drift=drift, removed=self.report.removed + removed)

    @property
    def _removes(self) -> bool:
        # A catalogue that names nothing while the index holds images is a volume that is not mounted more
        # often than a registry that somebody has emptied.
        return self._plan.removes and self._names_any

    def _finish(self) -> None:
        # What got no answer got none alone: the registry was there to the end.
        self._unanswered = 0
        self._note_tried()
        self._note_verified()
        self._find_overdue()
        unasked = self._find_orphans()
        self._count_drift()
        if self.report.knows_unread and self._knows_untold:
            with self._database.write() as connection:
                close_resolved(
                    connection,
                    self._crawl.id,
                    started_at=self._crawl.started_at,
                    unread={*self.report.failed, *self._half_told},
                    unasked=unasked,
                    now=self._clock(),
                )
        self._save(finished_at=self._clock())

    def _count_drift(self) -> None:
        """Count what was put right by those, too, who were killed before they could tell it."""
        with self._database.read() as connection:
            found = count_drift(connection, self._crawl.id)
        repaired = max(self.report.repaired, sum(found.get(kind, 0) for kind in PUT_RIGHT))
        left_open = sum(found.get(kind, 0) for kind in LEFT_BY_LOSSES)
        self.report = replace(self.report, drift=sum(found.values()), repaired=repaired, left_open=left_open)

    def _find_overdue(self) -> None:
        """File the repositories of which every tag was to be looked at by now, and that could not be read."""
        before = self._clock() - self._plan.verify_within
        with self._database.read() as connection:
            parts = list(list_overdue(connection, before=before))
        for names in parts:
            kind = DriftKind.UNVERIFIED_REPOSITORY
            findings = [Finding(kind, name, namespace=split_namespace(name).namespace) for name in names]
            with self._database.write() as connection:
                file_findings(connection, findings, crawl=self._crawl.id, now=self._clock())

    def _find_orphans(self) -> Collection[DriftKind]:
        """File the namespaces that nobody has made; return the kinds of differences that were not to be learnt."""
        if self._plan.unknown_namespaces is None:
            return [DriftKind.ORPHAN_NAMESPACE]
        with self._database.read() as connection:
            names = list(list_namespaces(connection))
        try:
            unknown = self._plan.unknown_namespaces(names)
        except UpstreamError as fault:
            log.warning("crawl.namespaces_unknown", fault=str(fault))
            return [DriftKind.ORPHAN_NAMESPACE]
        findings = [Finding(DriftKind.ORPHAN_NAMESPACE, None, namespace=name) for name in sorted(unknown)]
        with self._database.write() as connection:
            file_findings(connection, findings, crawl=self._crawl.id, now=self._clock())
        self.report = replace(self.report, drift=self.report.drift + len(findings))
        return []

    def _save(self, *, finished_at: datetime | None) -> None:
        # Whoever goes on behind the position must not take what lies before it for unlisted.
        self._note_listed()
        self._note_verified()
        self._note_tried()
        self.report = replace(self.report, finished=finished_at is not None)
        position = None if self.report.finished else self._position
        with self._database.write() as connection:
            self._lease.hold(connection)
            save_crawl(
                connection, self._crawl.id, dict(self.report.numbers), position=position, finished_at=finished_at
            )
        self._readers.settle(self._counted)
        self._counted.clear()
        log.info("crawl.progress", crawl=self._crawl.id, **self.report.numbers)
