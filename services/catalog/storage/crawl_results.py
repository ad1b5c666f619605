"""What workers tell a crawl of the repositories that it asked them to read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from services.catalog.storage.statements import new_insert
from services.catalog.storage.tables import crawl_results, crawls
from shared.oci.names import RepositoryName

_C = crawl_results.c
RESULTS_PER_QUERY = 200


def add_result(connection: Connection, run: str, repository: RepositoryName, result: Mapping[str, Any]) -> None:
    """Keep what came of a repository until its crawl takes it; a second answer to one task changes nothing."""
    row = {"run": run, "repository": repository, "result": dict(result)}
    connection.execute(new_insert(connection, crawl_results).on_conflict_do_nothing(), row)


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
