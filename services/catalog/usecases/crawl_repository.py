"""One repository of the registry becomes part of the index."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from threading import Event

import structlog
from sqlalchemy import Connection

from services.catalog.domain import throwaway
from services.catalog.domain.drift import Finding, Report
from services.catalog.domain.drift import Kind as DriftKind
from services.catalog.domain.history import Kind, TagWrite
from services.catalog.domain.index import (
    RepositoryState,
    TagChange,
    observe_absence,
    observe_lost_manifest,
    observe_tag,
)
from services.catalog.domain.manifests import FetchedManifest
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.contents import note_children
from services.catalog.storage.drift import file_repairs
from services.catalog.storage.index import Wanted, load_states, save_states
from services.catalog.storage.manifests import note_manifests, save_manifests
from services.catalog.storage.pending import add_pending
from services.catalog.storage.repositories import lock_repositories, recount_repositories
from services.catalog.storage.tag_history import add_writes
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.fetch_manifests import FetchResult, ManifestFetcher, fetch_manifest
from services.catalog.usecases.notice_overwrites import notice_overwrites
from services.catalog.usecases.registry import InvalidAnswer, NotInRegistry, Registry, RegistryUnavailable
from shared.clock import Clock
from shared.combining import Combined
from shared.database import DATABASE_AWAY, Database
from shared.oci.names import Digest, RepositoryName, Tag, split_namespace

TAGS_PER_TRANSACTION = 50
"""What a crawl that is killed has to read again, and the manifests it holds in memory."""

MAX_FAILURES_IN_A_ROW = 5
"""After so many the rest of the repository is left for the next crawl: the registry is in trouble."""

MAX_FINDINGS = 1000
"""Differences in one repository that a round leaves and tells of; the rest comes when those are over."""

SAVED_TOGETHER = 8
"""Repositories of which a part is saved in one transaction: with one for each, the database is what takes long."""

FETCH_BUDGET_S = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CrawledRepository:
    """What came of a repository."""

    tags: int = 0
    """Those that were looked at, and those that are where they were and needed no look."""
    failures: int = 0
    """Tags for which the registry gave no answer, or one that cannot be right."""
    is_whole: bool = True
    """Whether every tag was looked at that the crawl looks at."""
    repaired: int = 0
    """Tags that were not in the index, or elsewhere there."""
    findings: tuple[Finding, ...] = ()
    """In what index and registry still differ; ``MAX_FINDINGS`` at the most, and ``untold`` are left out."""
    seen_at: datetime | None = None
    """The registry's clock at or before the look."""
    is_deep: bool = True
    """Whether the crawl looked at every tag, and not only at those that the index does not have."""
    untold: int = 0
    """Tags that differ, or may, beyond ``MAX_FINDINGS``."""


@dataclass(frozen=True, slots=True)
class _Seen:
    tag: Tag
    digest: Digest
    fetched: FetchedManifest | None


@dataclass(frozen=True, slots=True)
class _Sight:
    """A part of a repository as it was seen."""

    repository: RepositoryName
    seen: Sequence[_Seen]
    result: FetchResult
    seen_at: datetime
    report: Report | None
    """Where is told what is put right."""


@dataclass(frozen=True)
class RepositoryCrawler:
    """Reads single repositories; may be used by several threads at once.

    Args:
        registry: what is read.
        fetcher: brings the manifests that a tag's own manifest leads to.
        stop: when set, a repository is left half read; what was read is kept.
    """

    database: Database
    registry: Registry
    fetcher: ManifestFetcher
    clock: Clock
    stop: Event

    def crawl(
        self, repository: RepositoryName, *, deep: bool = True, report: Report | None = None
    ) -> CrawledRepository:
        """Index every tag of a repository that is not in the index, or is elsewhere there.

        Nothing is taken out of the index: that a tag is not listed may have many reasons. A tag
        about which the registry says nothing is left as it is.

        Args:
            deep: look at every tag; else only at those that the index does not have, so that a repository
                in which nothing has changed costs one request.
            report: where is told what is put right; ``None``: nowhere. It is written together with the index, because
                whoever reads the repository again finds nothing that differs.

        Raises:
            RegistryError: the tags could not be listed; the repository is left as it was.
        """
        listing = self.registry.list_tags(repository)
        with self.database.read() as connection:
            indexed = list_present_tags(connection, repository, before=listing.seen_at)
        wanted = listing.tags if deep else [tag for tag in listing.tags if tag not in indexed]
        crawled = CrawledRepository(tags=len(listing.tags) - len(wanted), seen_at=listing.seen_at, is_deep=deep)
        for chunk in _chunks(wanted):
            if self.stop.is_set() or not crawled.is_whole:
                return replace(crawled, is_whole=False)
            crawled = self._read(repository, chunk, crawled, listing.seen_at, report)
        return self._compare(repository, listing.tags, indexed, crawled)

    def forget(self, repository: RepositoryName, absent: Collection[Tag], *, seen_at: datetime) -> int:
        """Take tags out of the index that the registry does not have; return how many.

        Args:
            seen_at: the registry's clock at or before it was asked; whatever was written since then stays.

        Raises:
            RegistryError: it was not to be learnt whether the manifests are there.
        """
        with self.database.read() as connection:
            digests = set(list_present_tags(connection, repository, absent).values())
        lost = {digest for digest in digests if not self._has(repository, digest)}
        with self.database.write() as connection:
            return _forget(connection, repository, absent, lost, seen_at=seen_at, now=self.clock())

    def _has(self, repository: RepositoryName, reference: Tag | Digest) -> bool:
        try:
            self.registry.find_digest(repository, reference)
        except NotInRegistry:
            return False
        return True

    def _read(
        self,
        repository: RepositoryName,
        names: Sequence[Tag],
        before: CrawledRepository,
        seen_at: datetime,
        report: Report | None,
    ) -> CrawledRepository:
        with self.database.read() as connection:
            known = list_present_tags(connection, repository, names)
        seen, dangling, failures, is_whole = self._see(repository, names, known)
        repaired = self._keep(repository, seen, seen_at, report)
        found = [Finding(DriftKind.DANGLING_TAG, repository, tag, known.get(tag)) for tag in dangling]
        room = MAX_FINDINGS - len(before.findings)
        return replace(
            before,
            tags=before.tags + len(seen),
            failures=before.failures + failures,
            is_whole=is_whole,
            repaired=before.repaired + repaired,
            findings=(*before.findings, *found[:room]),
            untold=before.untold + len(found[room:]),
        )

    def _see(
        self, repository: RepositoryName, names: Sequence[Tag], known: Mapping[Tag, Digest]
    ) -> tuple[Sequence[_Seen], Sequence[Tag], int, bool]:
        seen, dangling, failures, in_a_row = list[_Seen](), list[Tag](), 0, 0
        for tag in names:
            try:
                seen.append(self._look_at(repository, tag, known.get(tag)))
                in_a_row = 0
            except NotInRegistry:
                log.info("crawl.dangling_tag", repository=repository, tag=tag)
                dangling.append(tag)
            except (InvalidAnswer, RegistryUnavailable) as fault:
                log.warning("crawl.tag_failed", repository=repository, tag=tag, fault=str(fault))
                failures, in_a_row = failures + 1, in_a_row + 1
            if in_a_row == MAX_FAILURES_IN_A_ROW:
                return seen, dangling, failures, False
        return seen, dangling, failures, True

    def _look_at(self, repository: RepositoryName, tag: Tag, known: Digest | None) -> _Seen:
        # What is in the index already costs a HEAD; what is not comes with the same request.
        fetched = None if known else fetch_manifest(self.registry, repository, tag)
        digest = fetched.digest if fetched else self.registry.find_digest(repository, tag)
        if digest == throwaway.DIGEST:
            # A deletion is under way, or has broken off half-way: nobody's manifest is under the tag any more.
            raise NotInRegistry
        return _Seen(tag, digest, fetched)

    def _compare(
        self,
        repository: RepositoryName,
        listed: Sequence[Tag],
        indexed: Mapping[Tag, Digest],
        crawled: CrawledRepository,
    ) -> CrawledRepository:
        """Add what the index has and the registry has not."""
        unlisted = sorted(indexed.keys() - set(listed))
        room = MAX_FINDINGS - len(crawled.findings)
        # A list may be incomplete, so each is asked for by its name.
        phantoms, failures, is_whole = self._find_absent(repository, unlisted[:room])
        found = [Finding(DriftKind.PHANTOM_TAG, repository, tag, indexed[tag]) for tag in phantoms]
        if not listed and not indexed:
            found.append(Finding(DriftKind.GHOST_REPOSITORY, repository))
        return replace(
            crawled,
            failures=crawled.failures + failures,
            is_whole=crawled.is_whole and is_whole,
            findings=(*crawled.findings, *found),
            untold=crawled.untold + len(unlisted[room:]),
        )

    def _find_absent(self, repository: RepositoryName, tags: Sequence[Tag]) -> tuple[Sequence[Tag], int, bool]:
        """Return which tags the registry does not have, about how many it says nothing, and whether all were asked."""
        absent, failures, in_a_row = list[Tag](), 0, 0
        for tag in tags:
            if self.stop.is_set() or in_a_row == MAX_FAILURES_IN_A_ROW:
                return absent, failures, False
            try:
                if not self._has(repository, tag):
                    absent.append(tag)
                in_a_row = 0
            except (InvalidAnswer, RegistryUnavailable) as fault:
                log.warning("crawl.tag_failed", repository=repository, tag=tag, fault=str(fault))
                failures, in_a_row = failures + 1, in_a_row + 1
        return absent, failures, True

    def _keep(self, repository: RepositoryName, seen: Sequence[_Seen], seen_at: datetime, report: Report | None) -> int:
        if not seen:
            return 0
        fetched = {one.digest: one.fetched for one in seen if one.fetched}
        leads = {one.digest for one in seen if not one.fetched}
        leads |= {child.digest for one in fetched.values() for child in one.manifest.children}
        result = self.fetcher.fetch_unknown(
            [(repository, digest) for digest in leads - fetched.keys()], budget_s=FETCH_BUDGET_S
        )
        result.fetched.update(fetched)
        return self._saver.do(_Sight(repository, seen, result, seen_at, report))

    @cached_property
    def _saver(self) -> Combined[_Sight, int]:
        return Combined(self._save_all, limit=SAVED_TOGETHER, blameless=DATABASE_AWAY)

    def _save_all(self, sights: Sequence[_Sight]) -> Sequence[int]:
        with self.database.write() as connection:
            if len({sight.repository for sight in sights}) == len(sights):
                return _save(connection, sights, now=self.clock())
            return [repaired for sight in sights for repaired in _save(connection, [sight], now=self.clock())]


def _save(connection: Connection, sights: Sequence[_Sight], *, now: datetime) -> Sequence[int]:
    """Write down what was seen, each repository once, and return how many tags of each that put right."""
    rows = lock_repositories(connection, [sight.repository for sight in sights], now=now)
    digests = dict.fromkeys(one.digest for sight in sights for one in sight.seen)
    before = load_states(connection, _wanted(sights, rows))
    after = {rows[sight.repository]: _observed(before[rows[sight.repository]], sight) for sight in sights}
    save_states(connection, before, after, now=now)
    news, moves = {}, dict[RepositoryName, Sequence[TagChange]]()
    for sight in sights:
        row = rows[sight.repository]
        news[row] = _news(before[row], after[row], sight.seen_at)
        moves[sight.repository] = list(_moves(sight, before[row], after[row]))
    add_writes(connection, news)
    notice_overwrites(connection, [move for made in moves.values() for move in made], now=now)
    fetched = {digest: one for sight in sights for digest, one in sight.result.fetched.items()}
    save_manifests(connection, fetched.values(), now=now)
    note_manifests(connection, {digest: None for digest in digests if digest not in fetched})
    single = {digest for digest, one in fetched.items() if not one.manifest.children}
    note_children(connection, list(after), digests.keys() - single, now=now)
    add_pending(connection, [missing for sight in sights for missing in sight.result.missing], now=now)
    recount_repositories(connection, list(after))
    file_repairs(connection, [*_told(sights, moves)], now=now)
    return [len(moves[sight.repository]) for sight in sights]


def _wanted(sights: Sequence[_Sight], rows: Mapping[RepositoryName, int]) -> Wanted:
    seen = [(rows[sight.repository], one) for sight in sights for one in sight.seen]
    return Wanted(tags={(row, one.tag) for row, one in seen}, manifests={(row, one.digest) for row, one in seen})


def _observed(state: RepositoryState, sight: _Sight) -> RepositoryState:
    for one in sight.seen:
        state = observe_tag(state, one.tag, one.digest, sight.seen_at)
    return state


def _forget(
    connection: Connection,
    repository: RepositoryName,
    absent: Collection[Tag],
    lost: Collection[Digest],
    *,
    seen_at: datetime,
    now: datetime,
) -> int:
    """Write down which tags and manifests are not there, and return how many tags that changed."""
    row = lock_repositories(connection, [repository], now=now)[repository]
    wanted = Wanted(tags={(row, tag) for tag in absent}, manifests={(row, digest) for digest in lost})
    before = load_states(connection, wanted)
    after = before[row]
    for tag in absent:
        after = observe_absence(after, tag, seen_at)
    for digest in lost:
        after = observe_lost_manifest(after, digest, seen_at)
    save_states(connection, before, {row: after}, now=now)
    gone = [tag for tag in absent if _shown(before[row], tag) and not _shown(after, tag)]
    stamp = Stamp(seen_at, "")
    add_writes(connection, {row: [TagWrite(stamp, tag, Kind.VANISHED, _shown(before[row], tag)) for tag in gone]})
    recount_repositories(connection, [row])
    return len(gone)


def _told(
    sights: Sequence[_Sight], moves: Mapping[RepositoryName, Sequence[TagChange]]
) -> Iterator[tuple[Report, Finding]]:
    for sight in sights:
        if sight.report is not None:
            for move in moves[sight.repository]:
                yield sight.report, _repair(move)


def _repair(move: TagChange) -> Finding:
    kind = DriftKind.DIGEST_DIFFERS if move.previous_digest else DriftKind.MISSING_TAG
    repository = move.cause.repository
    namespace = split_namespace(repository).namespace
    return Finding(kind, repository, move.tag, move.previous_digest, move.digest, namespace)


def _moves(sight: _Sight, before: RepositoryState, after: RepositoryState) -> Iterator[TagChange]:
    for one in sight.seen:
        old, new = _shown(before, one.tag), _shown(after, one.tag)
        if old != new:
            cause = Occurrence(Stamp(sight.seen_at, ""), "push", sight.repository, digest=new, tag=one.tag)
            yield TagChange(one.tag, new, old, cause)


def _shown(state: RepositoryState, tag: Tag) -> Digest | None:
    known = state.tags.get(tag)
    return known.digest if known and known.present else None


def _news(before: RepositoryState, after: RepositoryState, seen_at: datetime) -> Sequence[TagWrite]:
    changed = [(tag, known) for tag, known in after.tags.items() if before.tags.get(tag) != known and known.present]
    return [TagWrite(Stamp(seen_at, ""), tag, Kind.SEEN, known.digest) for tag, known in changed]


def _chunks(tags: Sequence[Tag]) -> Iterator[Sequence[Tag]]:
    for start in range(0, len(tags), TAGS_PER_TRANSACTION):
        yield tags[start : start + TAGS_PER_TRANSACTION]
