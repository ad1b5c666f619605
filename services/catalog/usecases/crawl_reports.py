"""What a crawl tells of itself, while it runs and at its end."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import Crawl
from shared.oci.names import RepositoryName

MAX_NAMED = 1000
"""Repositories that a report names."""

NUMBERS = ("repositories", "tags", "failures", "repaired", "removed", "verified", "drift", "half_told")
"""What of a report is written down."""


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
        return {name: getattr(self, name) for name in NUMBERS}

    @property
    def knows_unread(self) -> bool:
        """Whether ``failed`` names every repository that was not read."""
        return self.failures == len(self.failed)


class CrawlTally:
    """The report of a crawl under way.

    Args:
        crawl: as it was written down last.
    """

    def __init__(self, crawl: Crawl) -> None:
        numbers = {name: getattr(crawl, name) for name in NUMBERS}
        self.report = CrawlReport(**numbers, kind=crawl.kind, started_at=crawl.started_at)
        self._half_told = list[RepositoryName]()

    def add(self, **numbers: int) -> None:
        """Add to numbers of the report."""
        self.update(**{name: getattr(self.report, name) + more for name, more in numbers.items()})

    def update(self, **values: Any) -> None:
        """Replace values of the report."""
        self.report = replace(self.report, **values)

    def note_failure(self, repository: RepositoryName) -> None:
        """Count a repository that could not be read, in whole or in part."""
        self.add(failures=1)
        if len(self.report.failed) < MAX_NAMED:
            self.update(failed=(*self.report.failed, repository))

    def note_half_told(self, repository: RepositoryName) -> None:
        """Count a repository of which not every difference was told."""
        self.add(half_told=1)
        if len(self._half_told) < MAX_NAMED:
            self._half_told.append(repository)

    def find_uncertain(self) -> Collection[RepositoryName] | None:
        """Return the repositories of which not everything is known; ``None``: their names are not all known either.

        Those who were at it before us did not write the names down.
        """
        if self.report.knows_unread and self.report.half_told == len(self._half_told):
            return {*self.report.failed, *self._half_told}
        return None
