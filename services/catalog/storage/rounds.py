"""What rounds know of repositories: which were named, and when every tag of them was looked at."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from services.catalog.storage.statements import upsert
from services.catalog.storage.tables import repositories, repository_rounds
from shared.database import UtcDateTime
from shared.oci.names import RepositoryName

_C = repository_rounds.c
NAMES_PER_QUERY = 500


def count_filled(connection: Connection) -> int:
    """Return how many repositories have tags."""
    query = select(func.count()).select_from(repositories).where(repositories.c.tags_count > 0)
    return connection.execute(query).scalar_one()


def list_to_verify(connection: Connection, *, before: datetime, limit: int) -> Collection[RepositoryName]:
    """Return the repositories whose tags were looked at longest ago, or never; one that failed waits for its turn.

    Args:
        before: those that were looked at since then need no look.
    """
    due = or_(_C.verified_at.is_(None), _C.verified_at < before)
    # By its last try, and not by its last success: else one that never has any would take every turn.
    last = case((_has_failed(), _C.tried_at), else_=_C.verified_at)
    query = (
        select(repositories.c.full_name)
        .join_from(repositories, repository_rounds, isouter=True)
        .where(repositories.c.tags_count > 0, due)
        .order_by(last.is_not(None), last, repositories.c.id)
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


def note_tried(connection: Connection, names: Collection[RepositoryName], *, now: datetime) -> None:
    """Note that not every tag of repositories could be looked at."""
    known = connection.scalars(select(repositories.c.id).where(repositories.c.full_name.in_(names)))
    upsert(connection, repository_rounds, [{"repository_id": row, "tried_at": now} for row in sorted(known)])


def count_unread(connection: Connection) -> int:
    """Return of how many repositories the last look at every tag failed."""
    query = select(func.count()).select_from(repositories).join(repository_rounds)
    return connection.execute(query.where(repositories.c.tags_count > 0, _has_failed())).scalar_one()


def list_overdue(connection: Connection, *, before: datetime) -> Iterator[Sequence[RepositoryName]]:
    """Yield, many at a time, the repositories of which a look at every tag failed, and was not had since a moment.

    Args:
        before: what was looked at since then, or has come since then, is not overdue.
    """
    query = (
        select(repositories.c.full_name)
        .join_from(repositories, repository_rounds)
        .where(repositories.c.tags_count > 0, _has_failed(), _last_look() < before)
        .order_by(repositories.c.full_name)
        .limit(NAMES_PER_QUERY)
    )
    after = ""
    while names := connection.scalars(query.where(repositories.c.full_name > after)).all():
        yield [RepositoryName(name) for name in names]
        after = names[-1]


def find_oldest_look(connection: Connection) -> datetime | None:
    """Return since when the repository waits for a look at every tag whose last look is the oldest."""
    query = select(func.min(_last_look())).select_from(repositories).join(repository_rounds, isouter=True)
    oldest: datetime | None = connection.scalar(query.where(repositories.c.tags_count > 0))
    return oldest


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


def _has_failed() -> ColumnElement[bool]:
    """Whether the last look at every tag failed."""
    return _C.tried_at.is_not(None) & or_(_C.verified_at.is_(None), _C.verified_at < _C.tried_at)


def _last_look() -> ColumnElement[datetime]:
    """When every tag was looked at last; of what never was, since when it is known."""
    return func.coalesce(_C.verified_at, repositories.c.created_at, type_=UtcDateTime)
