"""Tokens that allow to change a repository, and what was heard of those repositories."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, func, insert, select, update

from services.catalog.storage.loss_tables import loss_window_repositories, loss_windows, push_grants, repository_pushes
from services.catalog.storage.statements import new_insert
from shared.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class PushGrant:
    """Somebody could push to a repository, or delete from it, in this time."""

    repository: RepositoryName
    issued_at: datetime
    expires_at: datetime
    pushes: bool = True
    """Whether they could push; else only delete."""


def insert_grants(connection: Connection, grants: Collection[PushGrant], *, due: Mapping[PushGrant, datetime]) -> None:
    """Keep grants until it is due to ask what came of them."""
    rows = [
        {
            "repository": grant.repository,
            "issued_at": grant.issued_at,
            "expires_at": grant.expires_at,
            "pushes": grant.pushes,
            "due_at": due[grant],
        }
        for grant in grants
    ]
    if rows:
        connection.execute(insert(push_grants), rows)


def note_pushes(connection: Connection, pushed_at: Mapping[RepositoryName, datetime]) -> None:
    """Note when repositories were pushed to last, by the registry's clock."""
    insert_ = new_insert(connection, repository_pushes)
    known, new = repository_pushes.c.pushed_at, insert_.excluded.pushed_at
    later = case((known.is_(None) | (known < new), new), else_=known)
    statement = insert_.on_conflict_do_update(index_elements=["repository"], set_={"pushed_at": later})
    rows = [{"repository": name, "pushed_at": at} for name, at in sorted(pushed_at.items())]
    if rows:
        connection.execute(statement, rows)


def note_read(connection: Connection, repositories: Collection[RepositoryName], *, at: datetime) -> None:
    """Note that repositories were read because of a loss."""
    insert_ = new_insert(connection, repository_pushes)
    changes = {"crawled_at": insert_.excluded.crawled_at}
    statement = insert_.on_conflict_do_update(index_elements=["repository"], set_=changes)
    rows = [{"repository": name, "crawled_at": at} for name in sorted(repositories)]
    if rows:
        connection.execute(statement, rows)


@dataclass(frozen=True, slots=True)
class DueGrant:
    """A grant, and what was heard since."""

    id: int
    grant: PushGrant
    pushed_at: datetime | None
    crawled_at: datetime | None


def take_due_grants(connection: Connection, *, now: datetime, limit: int) -> Sequence[DueGrant]:
    """Return grants of which it is time to ask what came of them, and settle them."""
    about = repository_pushes
    due = (
        select(push_grants.c.id)
        .where(push_grants.c.due_at <= now)
        .order_by(push_grants.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.scalars(due).all()
    query = (
        select(push_grants, about.c.pushed_at, about.c.crawled_at)
        .select_from(push_grants.outerjoin(about, about.c.repository == push_grants.c.repository))
        .where(push_grants.c.id.in_(ids))
        .order_by(push_grants.c.id)
    )
    found = [
        DueGrant(
            row.id,
            PushGrant(RepositoryName(row.repository), row.issued_at, row.expires_at, row.pushes),
            row.pushed_at,
            row.crawled_at,
        )
        for row in connection.execute(query)
    ]
    connection.execute(update(push_grants).where(push_grants.c.id.in_(ids)).values(due_at=None))
    return found


def is_left_out(connection: Connection, grant: PushGrant, *, reason: str) -> bool:
    """Tell whether a window falls into a grant's time that does not concern its repository."""
    overlaps = (loss_windows.c.since <= grant.expires_at) & (loss_windows.c.until >= grant.issued_at)
    listed = select(loss_window_repositories.c.window_id).where(
        loss_window_repositories.c.window_id == loss_windows.c.id,
        loss_window_repositories.c.repository == grant.repository,
    )
    query = select(loss_windows.c.id).where(
        loss_windows.c.reason == reason, overlaps, ~loss_windows.c.everything, ~listed.exists()
    )
    return connection.execute(query.limit(1)).first() is not None


def list_granted(
    connection: Connection, *, since: datetime, until: datetime, limit: int
) -> Sequence[RepositoryName] | None:
    """Return the repositories that anybody could change in a time; ``None``: nobody knows, or they are too many."""
    known_since = connection.scalar(select(func.min(push_grants.c.issued_at)))
    if known_since is None or known_since > since:
        return None
    possible = (push_grants.c.issued_at <= until) & (push_grants.c.expires_at >= since)
    query = select(push_grants.c.repository).where(possible).distinct().limit(limit + 1)
    found = [RepositoryName(name) for name in connection.scalars(query)]
    return None if len(found) > limit else found


def purge_grants(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget settled grants that expired before a moment, at most ``limit``, and return how many."""
    old = push_grants.c.due_at.is_(None) & (push_grants.c.expires_at < before)
    ids = select(push_grants.c.id).where(old).limit(limit)
    return connection.execute(delete(push_grants).where(push_grants.c.id.in_(ids))).rowcount
