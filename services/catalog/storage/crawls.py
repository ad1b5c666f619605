"""Crawls: what was read, when, and whether one is still due."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from services.catalog.storage.tables import crawls

MAX_FIRST_CRAWLS = 10
"""So often the registry is crawled because some repository could not be read."""


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


def open_crawl(connection: Connection, *, now: datetime) -> int:
    """Return the id of the crawl that was broken off, or of a new one."""
    broken_off = connection.scalar(select(func.max(crawls.c.id)).where(crawls.c.finished_at.is_(None)))
    if broken_off is not None:
        return int(broken_off)
    values = {"started_at": now, "repositories": 0, "tags": 0, "failures": 0}
    return int(connection.execute(insert(crawls).values(values).returning(crawls.c.id)).scalar_one())


def save_crawl(
    connection: Connection, crawl: int, *, repositories: int, tags: int, failures: int, finished_at: datetime | None
) -> None:
    """Note how far a crawl has come."""
    values = {"repositories": repositories, "tags": tags, "failures": failures, "finished_at": finished_at}
    connection.execute(update(crawls).where(crawls.c.id == crawl).values(values))


def last_finished_at(connection: Connection) -> datetime | None:
    """Return when a crawl came to its end last."""
    finished: datetime | None = connection.scalar(select(func.max(crawls.c.finished_at)))
    return finished
