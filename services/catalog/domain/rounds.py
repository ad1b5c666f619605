"""Crawls: what each reads, and when the next one is due."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Strategy(StrEnum):
    """What is crawled besides the first time, as in SUSE Portus."""

    INITIAL = "initial"
    """Nothing more."""
    ON_START = "on-start"
    """Once after each start of a worker."""
    UPDATE = "update"
    """Again and again; nothing is taken out of the index."""
    UPDATE_DELETE = "update-delete"
    """Again and again; what the registry does not have at two rounds is taken out of the index."""

    @property
    def removes(self) -> bool:
        """Whether rounds take out of the index what is not in the registry."""
        return self is Strategy.UPDATE_DELETE


class CrawlKind(StrEnum):
    """What a crawl reads."""

    FIRST = "first"
    """Everything, before anything is known."""
    ROUND = "round"
    """Every repository's list of tags, and of a few every tag."""
    FULL = "full"
    """Every tag of every repository."""

    @property
    def is_deep(self) -> bool:
        """Whether every tag is looked at."""
        return self is not CrawlKind.ROUND

    @property
    def tells_repairs(self) -> bool:
        """Whether what is put right is told: nothing is missing in an index that has just been begun."""
        return self is not CrawlKind.FIRST


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often rounds come.

    Args:
        every: from the end of one to the start of the next.
        verify_within: so long it takes until every tag has been looked at once.
    """

    strategy: Strategy = Strategy.UPDATE
    every: timedelta = timedelta(hours=1)
    verify_within: timedelta = timedelta(days=7)

    def is_due(self, *, last_finished_at: datetime | None, started_at: datetime, now: datetime) -> bool:
        """Tell whether a round is due.

        Args:
            last_finished_at: when a crawl of any kind came to its end; ``None``: the first one is still to come.
            started_at: when this worker started.
        """
        if last_finished_at is None or self.strategy is Strategy.INITIAL:
            return False
        if self.strategy is Strategy.ON_START:
            return last_finished_at < started_at
        return now - last_finished_at >= self.every

    def share(self, repositories: int) -> int:
        """Return of how many repositories a round looks at every tag."""
        return math.ceil(repositories * min(1.0, self.every / self.verify_within))
