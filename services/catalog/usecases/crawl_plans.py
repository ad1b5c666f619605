"""What a crawl is to do."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from services.catalog.domain.rounds import CrawlKind
from services.catalog.usecases.crawl_readers import NewReaders

THREADS = 8
"""Repositories that are read at the same time, unless another number is asked for."""


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
