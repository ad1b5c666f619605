"""Crawls: what was read, when, and whether one is still due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from services.catalog.domain.drift import Report
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.tables import crawls
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part

MAX_FIRST_CRAWLS = 10
"""So often the registry is crawled because some repository could not be read."""

CRAWLS = Listing(
    {
        "id": Listed(crawls.c.id),
        "kind": Listed(crawls.c.kind, choices=CrawlKind),
        "started_at": Listed(crawls.c.started_at),
        "finished_at": Listed(crawls.c.finished_at),
        "repositories": Listed(crawls.c.repositories),
        "failures": Listed(crawls.c.failures),
        "repaired": Listed(crawls.c.repaired),
        "drift": Listed(crawls.c.drift),
    },
    order=Order("id", descending=True),
)
"""What the list of crawls is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl as the API shows it, under way or over."""

    id: int
    kind: CrawlKind
    started_at: datetime
    finished_at: datetime | None
    """``None``: it goes on, or waits to be taken up again."""
    repositories: int
    tags: int
    failures: int
    repaired: int
    removed: int
    verified: int
    drift: int
    half_told: int
    """Repositories of which not every difference was told: they are too many."""
    restarts: int
    position: str | None
    requested_by: str | None
    fault: str | None

    @property
    def report(self) -> Report | None:
        """Where is told what it puts right; ``None``: nowhere."""
        return Report(self.id) if self.kind.tells_repairs else None

    @property
    def is_paced(self) -> bool:
        """Whether its requests are held back; not of the first, nor of a full one that somebody waits for."""
        return self.kind is CrawlKind.ROUND or (self.kind is CrawlKind.FULL and self.requested_by is None)

    @property
    def duration_s(self) -> float | None:
        """From the start to the end."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


def is_first_crawl_due(connection: Connection) -> bool:
    """Tell whether the registry's old content may be missing from the index.

    An index with rows in it says nothing: events arrive from the first second on, also while a crawl
    that was killed waits to be taken up again.
    """
    finished = select(func.count(), func.count().filter(crawls.c.failures == 0)).where(
        crawls.c.finished_at.is_not(None)
    )
    rounds, clean = connection.execute(finished).one()
    return clean == 0 and rounds < MAX_FIRST_CRAWLS


def count_finished(connection: Connection) -> int:
    """Return how many crawls came to their end."""
    return connection.execute(
        select(func.count()).select_from(crawls).where(crawls.c.finished_at.is_not(None))
    ).scalar_one()


def find_under_way(connection: Connection) -> Crawl | None:
    """Return the crawl that has not come to its end."""
    query = select(*_COLUMNS).where(crawls.c.finished_at.is_(None)).order_by(crawls.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return _load(row) if row else None


def open_crawl(connection: Connection, kind: CrawlKind, *, now: datetime, requested_by: str | None = None) -> int:
    """Begin a crawl and return its id."""
    counted = {"repositories": 0, "tags": 0, "failures": 0}
    values = {"kind": kind.value, "started_at": now, "requested_by": requested_by, **counted}
    return int(connection.execute(insert(crawls).values(values).returning(crawls.c.id)).scalar_one())


def note_restart(connection: Connection, crawl: int) -> None:
    """Note that a crawl is taken up again."""
    values = {"restarts": crawls.c.restarts + 1, "fault": None}
    connection.execute(update(crawls).where(crawls.c.id == crawl).values(values))


def note_fault(connection: Connection, crawl: int, fault: str) -> None:
    """Note why a crawl was broken off."""
    connection.execute(update(crawls).where(crawls.c.id == crawl).values(fault=fault))


def save_crawl(
    connection: Connection, crawl: int, numbers: dict[str, int], *, position: str | None, finished_at: datetime | None
) -> None:
    """Note how far a crawl has come.

    Args:
        numbers: columns of ``crawls``.
        position: all repositories up to this one are read.
    """
    values = {**numbers, "position": position, "finished_at": finished_at}
    connection.execute(update(crawls).where(crawls.c.id == crawl).values(values))


def last_finished_at(connection: Connection) -> datetime | None:
    """Return when a crawl came to its end last."""
    finished: datetime | None = connection.scalar(select(func.max(crawls.c.finished_at)))
    return finished


def list_crawls(connection: Connection, asked: ListRequest) -> Page[Crawl] | Slice[Crawl]:
    """Return a part of the crawls."""
    return fetch_part(connection, select(*_COLUMNS), CRAWLS, asked, load=_load)


def find_crawl(connection: Connection, crawl: int) -> Crawl | None:
    """Return a crawl."""
    row = connection.execute(select(*_COLUMNS).where(crawls.c.id == crawl)).one_or_none()
    return _load(row) if row else None


_COLUMNS = tuple(crawls.c[name] for name in Crawl.__slots__)


def _load(row: Row[Any]) -> Crawl:
    return Crawl(**{**row._mapping, "kind": CrawlKind(row.kind)})
