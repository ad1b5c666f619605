"""What workers tell a crawl of the repositories that it asked them to read."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from services.catalog.storage.statements import new_insert, select_listed
from services.catalog.storage.tables import crawl_results, crawls
from shared.oci.names import RepositoryName

_C = crawl_results.c


Result = tuple[int, RepositoryName, Mapping[str, Any]]
"""The crawl that has asked, what it has asked about, and what came of it."""


def add_results(connection: Connection, results: Sequence[Result]) -> None:
    """Keep what came of repositories until their crawl takes it; a second answer to one task changes nothing."""
    rows = [{"crawl_id": crawl, "repository": name, "result": dict(result)} for crawl, name, result in results]
    connection.execute(new_insert(connection, crawl_results).on_conflict_do_nothing(), rows)


def list_answered(connection: Connection, crawl: int) -> set[RepositoryName]:
    """Return the repositories of which a crawl was told, and that it has not dropped yet."""
    return {RepositoryName(repository) for repository in connection.scalars(_ANSWERED, {"crawl": crawl})}


# A crawl asks it many times a second, and putting it together takes longer than the answer.
_ANSWERED = select(_C.repository).where(_C.crawl_id == bindparam("crawl"))


def load_results(
    connection: Connection, crawl: int, names: Collection[RepositoryName]
) -> Mapping[RepositoryName, Mapping[str, Any]]:
    """Return what a crawl was told of some repositories."""
    rows = select_listed(connection, crawl_results, (_C.crawl_id, _C.repository), [(crawl, name) for name in names])
    return {RepositoryName(row.repository): row.result for row in rows}


def drop_results(connection: Connection, crawl: int, names: Collection[RepositoryName]) -> None:
    """Forget what a crawl has counted."""
    connection.execute(delete(crawl_results).where(_C.crawl_id == crawl, _C.repository.in_(names)))


def drop_results_of_others(connection: Connection, crawl: int) -> None:
    """Forget what was told to crawls that are over: all but the one that is under way."""
    connection.execute(delete(crawl_results).where(_C.crawl_id != crawl))


def note_heard(connection: Connection, *, now: datetime) -> None:
    """Note that somebody is still reading for the crawl that is under way."""
    connection.execute(update(crawls).where(crawls.c.finished_at.is_(None)).values(heard_at=now))


def last_heard_at(connection: Connection, crawl: int) -> datetime | None:
    """Return when somebody was still reading for a crawl."""
    heard: datetime | None = connection.scalar(select(crawls.c.heard_at).where(crawls.c.id == crawl))
    return heard
