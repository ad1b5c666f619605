"""One repository of the registry becomes part of the index."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from threading import Event
from typing import Generic, TypeVar

import structlog

from services.catalog.domain import throwaway
from services.catalog.domain.drift import Finding, Kind, Report
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.fetch_manifests import ManifestFetcher, fetch_manifest
from services.catalog.usecases.keep_sights import Seen, Sight, forget_absent, save_sights
from services.catalog.usecases.registry import InvalidAnswer, NotInRegistry, Registry, RegistryUnavailable
from shared.clock import Clock
from shared.combining import Combined
from shared.database import DATABASE_AWAY, Database
from shared.oci.names import Digest, RepositoryName, Tag

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


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Answers(Generic[Answer]):
    """What the registry says of some tags."""

    of: Mapping[Tag, Answer | None]
    """By tag, without those about which it says nothing; ``None``: it does not have it."""
    failures: int
    is_whole: bool
    """Whether all were asked for."""

    @property
    def absent(self) -> Sequence[Tag]:
        return [tag for tag, answer in self.of.items() if answer is None]


def _unless_absent(ask: Callable[[Tag], Answer], tag: Tag) -> Answer | None:
    try:
        return ask(tag)
    except NotInRegistry:
        return None


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
            return forget_absent(connection, repository, absent, lost, seen_at=seen_at, now=self.clock())

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
        answers = self._ask_each(repository, names, lambda tag: self._look_at(repository, tag, known.get(tag)))
        if answers.absent:
            log.info("crawl.dangling_tags", repository=repository, tags=answers.absent)
        seen = [one for one in answers.of.values() if one]
        repaired = self._keep(repository, seen, seen_at, report)
        found = [Finding(Kind.DANGLING_TAG, repository, tag, known.get(tag)) for tag in answers.absent]
        room = MAX_FINDINGS - len(before.findings)
        return replace(
            before,
            tags=before.tags + len(seen),
            failures=before.failures + answers.failures,
            is_whole=answers.is_whole,
            repaired=before.repaired + repaired,
            findings=(*before.findings, *found[:room]),
            untold=before.untold + len(found[room:]),
        )

    def _look_at(self, repository: RepositoryName, tag: Tag, known: Digest | None) -> Seen:
        # What is in the index already costs a HEAD; what is not comes with the same request.
        fetched = None if known else fetch_manifest(self.registry, repository, tag)
        digest = fetched.digest if fetched else self.registry.find_digest(repository, tag)
        if digest == throwaway.DIGEST:
            # A deletion is under way, or has broken off half-way: nobody's manifest is under the tag any more.
            raise NotInRegistry
        return Seen(tag, digest, fetched)

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
        answers = self._ask_each(repository, unlisted[:room], lambda tag: self.registry.find_digest(repository, tag))
        found = [Finding(Kind.PHANTOM_TAG, repository, tag, indexed[tag]) for tag in answers.absent]
        if not listed and not indexed:
            found.append(Finding(Kind.GHOST_REPOSITORY, repository))
        return replace(
            crawled,
            failures=crawled.failures + answers.failures,
            is_whole=crawled.is_whole and answers.is_whole,
            findings=(*crawled.findings, *found),
            untold=crawled.untold + len(unlisted[room:]),
        )

    def _ask_each(
        self, repository: RepositoryName, tags: Sequence[Tag], ask: Callable[[Tag], Answer]
    ) -> _Answers[Answer]:
        """Ask the registry about one tag after the other, and no further once it is in trouble."""
        answers, failures, in_a_row = dict[Tag, Answer | None](), 0, 0
        for tag in tags:
            if self.stop.is_set() or in_a_row == MAX_FAILURES_IN_A_ROW:
                return _Answers(answers, failures, is_whole=False)
            try:
                answers[tag] = _unless_absent(ask, tag)
                in_a_row = 0
            except (InvalidAnswer, RegistryUnavailable) as fault:
                log.warning("crawl.tag_failed", repository=repository, tag=tag, fault=str(fault))
                failures, in_a_row = failures + 1, in_a_row + 1
        return _Answers(answers, failures, is_whole=in_a_row < MAX_FAILURES_IN_A_ROW)

    def _keep(self, repository: RepositoryName, seen: Sequence[Seen], seen_at: datetime, report: Report | None) -> int:
        if not seen:
            return 0
        fetched = {one.digest: one.fetched for one in seen if one.fetched}
        leads = {one.digest for one in seen if not one.fetched}
        leads |= {child.digest for one in fetched.values() for child in one.manifest.children}
        result = self.fetcher.fetch_unknown(
            [(repository, digest) for digest in leads - fetched.keys()], budget_s=FETCH_BUDGET_S
        )
        result.fetched.update(fetched)
        return self._saver.do(Sight(repository, seen, result, seen_at, report))

    @cached_property
    def _saver(self) -> Combined[Sight, int]:
        return Combined(self._save_all, limit=SAVED_TOGETHER, blameless=DATABASE_AWAY)

    def _save_all(self, sights: Sequence[Sight]) -> Sequence[int]:
        with self.database.write() as connection:
            if len({sight.repository for sight in sights}) == len(sights):
                return save_sights(connection, sights, now=self.clock())
            return [repaired for sight in sights for repaired in save_sights(connection, [sight], now=self.clock())]


def _chunks(tags: Sequence[Tag]) -> Iterator[Sequence[Tag]]:
    for start in range(0, len(tags), TAGS_PER_TRANSACTION):
        yield tags[start : start + TAGS_PER_TRANSACTION]
