"""What rounds know of repositories: which were named, and when every tag of them was looked at."""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from services.catalog.storage.statements import upsert
from services.catalog.storage.tables import repositories, repository_rounds
from shared.oci.names import RepositoryName

_C = repository_rounds.c
NAMES_PER_QUERY = 500


def count_filled(connection: Connection) -> int:
    """Return how many repositories have tags."""
    query = select(func.count()).select_from(repositories).where(repositories.c.tags_count > 0)
    return connection.execute(query).scalar_one()


def list_to_verify(connection: Connection, *, before: datetime, limit: int) -> Collection[RepositoryName]:
    """Return the repositories whose tags were looked at longest ago, or never.

    Args:
        before: those that were looked at since then need no look.
    """
    due = or_(_C.verified_at.is_(None), _C.verified_at < before)
    query = (
        select(repositories.c.full_name)
        .join_from(repositories, repository_rounds, isouter=True)
        .where(repositories.c.tags_count > 0, due)
        .order_by(_C.verified_at.is_not(None), _C.verified_at, repositories.c.id)
        .limit(limit)
    )
    return {RepositoryName(name) for name in connection.scalars(query)}


def note_listed(connection: Connection, names: Collection[RepositoryName], crawl: int) -> None:
    """Note that the registry's catalogue names repositories; those that are not in the index are passed over."""
    known = connection.scalars(select(repositories.c.id).where(repositories.c.full_name.in_(names)))
    upsert(connection, repository_rounds, [{"repository_id": row, "listed_in": crawl} for row in sorted(known)])


def note_verified(connection: Connection, names: Collection[RepositoryName], *, now: datetime) -> None:
    """Note that every tag of repositories was looked at."""
    known = connection.scalars(select(repositories.c.id).where(repositories.c.full_name.in_(names)))
    upsert(connection, repository_rounds, [{"repository_id": row, "verified_at": now} for row in sorted(known)])


def list_unlisted(connection: Connection, crawl: int, *, before: datetime) -> Iterator[RepositoryName]:
    """Yield the repositories with tags that were in the index before a crawl began, and that it was not told of."""
    unlisted = or_(_C.listed_in.is_(None), _C.listed_in != crawl)
    query = (
        select(repositories.c.full_name)
        .join_from(repositories, repository_rounds, isouter=True)
        .where(repositories.c.tags_count > 0, repositories.c.created_at < before, unlisted)
        .order_by(repositories.c.full_name)
        .limit(NAMES_PER_QUERY)
    )
    after = ""
    while names := connection.scalars(query.where(repositories.c.full_name > after)).all():
        yield from map(RepositoryName, names)
        after = names[-1]


def list_namespaces(connection: Connection) -> Iterator[str]:
    """Yield the namespaces in which images lie, by name; the global one is none of them."""
    query = (
        select(repositories.c.namespace)
        .where(repositories.c.namespace.is_not(None), repositories.c.tags_count > 0)
        .distinct()
        .order_by(repositories.c.namespace)
        .limit(NAMES_PER_QUERY)
    )
    after = ""
    while names := connection.scalars(query.where(repositories.c.namespace > after)).all():
        yield from names
        after = names[-1]
