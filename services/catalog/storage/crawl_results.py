"""What workers tell a crawl of the repositories that it asked them to read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from services.catalog.storage.statements import new_insert
from services.catalog.storage.tables import crawl_results, crawls
from shared.oci.names import RepositoryName

_C = crawl_results.c
RESULTS_PER_QUERY = 200


Result = tuple[str, RepositoryName, Mapping[str, Any]]
"""The run that has asked, what it has asked about, and what came of it."""


def add_results(connection: Connection, results: Sequence[Result]) -> None:
    """Keep what came of repositories until their crawl takes it; a second answer to one task changes nothing."""
    rows = [{"run": run, "repository": repository, "result": dict(result)} for run, repository, result in results]
    connection.execute(new_insert(connection, crawl_results).on_conflict_do_nothing(), rows)


def list_results(connection: Connection, run: str) -> Mapping[RepositoryName, Mapping[str, Any]]:
    """Return what a run was told, a few hundred repositories at a time."""
    query = select(_C.repository, _C.result).where(_C.run == run).limit(RESULTS_PER_QUERY)
    return {RepositoryName(row.repository): row.result for row in connection.execute(query)}


def drop_results(connection: Connection, run: str, names: list[RepositoryName]) -> None:
    """Forget what a run has taken."""
    connection.execute(delete(crawl_results).where(_C.run == run, _C.repository.in_(names)))


def drop_all_results(connection: Connection) -> None:
    """Forget what was told to runs that are over; for whoever holds the lease and has asked for nothing yet."""
    connection.execute(delete(crawl_results))


def note_heard(connection: Connection, *, now: datetime) -> None:
    """Note that somebody is still reading for the crawl that is under way."""
    connection.execute(update(crawls).where(crawls.c.finished_at.is_(None)).values(heard_at=now))


def last_heard_at(connection: Connection, crawl: int) -> datetime | None:
    """Return when somebody was still reading for a crawl."""
    heard: datetime | None = connection.scalar(select(crawls.c.heard_at).where(crawls.c.id == crawl))
    return heard
