"""Crawls and what they found, for those who oversee; and which crawl is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.catalog.domain.rounds import CrawlKind, Rhythm
from services.catalog.storage.crawls import (
    Crawl,
    find_crawl,
    find_under_way,
    is_first_crawl_due,
    last_finished_at,
    list_crawls,
    open_crawl,
)
from services.catalog.storage.drift import DriftRow, list_drift, list_open_namespaces
from services.catalog.usecases.not_found import NotFound
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.database import Database
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_administrator, require_overseer


class CrawlNotFound(NotFound):
    """There is no such crawl."""

    def __init__(self) -> None:
        super().__init__("There is no such crawl.")


@dataclass(frozen=True, slots=True)
class Requested:
    """A crawl that somebody has asked for."""

    crawl: Crawl
    is_new: bool
    """Whether none was under way; else it is that one."""


def find_due_crawl(
    rhythm: Rhythm, *, first: bool, started_at: datetime, database: Database, clock: Clock
) -> CrawlKind | None:
    """Return the crawl that is due now: one that was broken off or asked for, the first one, or a round.

    Args:
        first: whether what the registry held before Portus came is read.
        started_at: when this worker started.
    """
    with database.read() as connection:
        under_way = find_under_way(connection)
        if under_way:
            return under_way.kind
        if first and is_first_crawl_due(connection):
            return CrawlKind.FIRST
        finished_at = last_finished_at(connection)
    is_due = rhythm.is_due(last_finished_at=finished_at, started_at=started_at, now=clock())
    return CrawlKind.ROUND if is_due else None


def request_crawl(visibility: Visibility, kind: CrawlKind, *, database: Database, clock: Clock) -> Requested:
    """Ask for a crawl, which a worker then does.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
    """
    caller = require_administrator(visibility)
    with database.write() as connection:
        under_way = find_under_way(connection)
        if under_way:
            return Requested(under_way, is_new=False)
        number = open_crawl(connection, kind, now=clock(), requested_by=caller.username)
        crawl = find_crawl(connection, number)
    if crawl is None:
        raise CrawlNotFound
    return Requested(crawl, is_new=True)


def show_crawls(visibility: Visibility, asked: ListRequest, *, database: Database) -> Page[Crawl] | Slice[Crawl]:
    """Return a part of the crawls.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
    """
    require_overseer(visibility)
    with database.read() as connection:
        return list_crawls(connection, asked)


def get_crawl(visibility: Visibility, crawl: int, *, database: Database) -> Crawl:
    """Return a crawl.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
        CrawlNotFound: see above.
    """
    require_overseer(visibility)
    with database.read() as connection:
        found = find_crawl(connection, crawl)
    if found is None:
        raise CrawlNotFound
    return found


def show_drift(visibility: Visibility, asked: ListRequest, *, database: Database) -> Slice[DriftRow]:
    """Return a part of the differences between index and registry.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
    """
    require_overseer(visibility)
    with database.read() as connection:
        return list_drift(connection, asked)


def list_orphans(*, database: Database) -> Sequence[str]:
    """Return the namespaces that hold images and that nobody has made, as far as the last crawl found, by name."""
    with database.read() as connection:
        return list_open_namespaces(connection)
