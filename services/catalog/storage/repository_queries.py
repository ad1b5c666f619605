"""Repositories as the API lists them, always through the caller's visibility."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, false, select

from services.catalog.domain.drift import Kind, State
from services.catalog.storage.tables import drift, repositories, stars
from services.catalog.storage.visible import visible_to
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part
from shared.visibility.answers import Visibility


def _starred_by(username: str | None) -> ColumnElement[bool]:
    own = (stars.c.repository_id == repositories.c.id) & (stars.c.username == username)
    return exists().where(own) if username else false()


GHOST = "ghost"
"""Parameter: repositories that the registry's catalogue names and in which there is nothing."""


def _in_namespace(name: str) -> ColumnElement[bool]:
    # Named as auth does: the global one is "".
    return repositories.c.namespace == name if name else repositories.c.namespace.is_(None)


def _is_ghost() -> ColumnElement[bool]:
    found = exists().where(
        drift.c.repository == repositories.c.full_name,
        drift.c.tag == "",
        drift.c.kind == Kind.GHOST_REPOSITORY,
        drift.c.state == State.OPEN,
    )
    # One that was pushed to since the last round is none any more.
    return (repositories.c.tags_count == 0) & found


def _listing(starred: ColumnElement[bool]) -> Listing:
    return Listing(
        {
            "id": Listed(repositories.c.id),
            # The old parameter for what is called full_name now.
            "name": Listed(repositories.c.full_name),
            "full_name": Listed(repositories.c.full_name, prefix=True),
            "namespace": Listed(repositories.c.namespace, matches=_in_namespace),
            "global": Listed(repositories.c.namespace.is_(None)),
            "starred": Listed(starred),
            GHOST: Listed(_is_ghost()),
            "stars": Listed(repositories.c.stars),
            "tags_count": Listed(repositories.c.tags_count),
            "size_bytes": Listed(repositories.c.size_bytes),
            "pulls": Listed(repositories.c.pulls),
            "created_at": Listed(repositories.c.created_at),
            "updated_at": Listed(repositories.c.updated_at),
        },
        search=[repositories.c.full_name, repositories.c.description],
        order=Order("full_name"),
    )


REPOSITORIES = _listing(false())
"""What lists of repositories are sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A repository as a list shows it."""

    id: int
    full_name: str
    namespace: str | None
    """``None``: the global namespace."""
    tags_count: int
    size_bytes: int
    pulls: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    stars: int = 0
    starred: bool = False
    """Whether the caller has."""
    ghost: bool = False
    """The registry's catalogue names it, and there is nothing in it; as the last round found."""
    namespace_id: int | None = None
    """What ``auth`` calls its namespace; it says that and the next, the index does not know."""
    destroyable: bool = False
    """Whether the caller may delete it."""

    @property
    def name(self) -> str:
        return self.full_name.removeprefix(f"{self.namespace}/") if self.namespace else self.full_name


def list_repositories(
    connection: Connection, visibility: Visibility, request: ListRequest, *, namespace: str | None = None
) -> Page[RepositoryRow] | Slice[RepositoryRow]:
    """Return a part of the repositories that hold a tag, or of those that are ghosts, when that is asked for.

    Args:
        namespace: only those of this one, as ``auth`` calls it: ``""`` is the global one.
    """
    starred = _starred_by(_username(visibility))
    or_empty = bool(request.filters.get(GHOST))
    query = _columns(starred).where(visible_to(visibility, connection.dialect, or_empty=or_empty))
    if namespace is not None:
        query = query.where(_in_namespace(namespace))
    return fetch_part(connection, query, _listing(starred), request, load=_load)


def _load(row: Row[Any]) -> RepositoryRow:
    return RepositoryRow(**row._mapping)


def find_repository(
    connection: Connection, visibility: Visibility, repository: int, *, or_empty: bool = False
) -> RepositoryRow | None:
    """Return a repository, or ``None`` when it is missing, empty or not to be seen: nobody can tell which.

    Args:
        or_empty: return one that is empty, too.
    """
    seen = visible_to(visibility, connection.dialect, or_empty=or_empty)
    query = _columns(_starred_by(_username(visibility))).where(repositories.c.id == repository, seen)
    row = connection.execute(query).one_or_none()
    return _load(row) if row else None


def _columns(starred: ColumnElement[bool]) -> Select[Any]:
    own = (repositories.c[one.name] for one in fields(RepositoryRow) if one.name in repositories.c)
    return select(*own, starred.label("starred"), _is_ghost().label(GHOST))


def _username(visibility: Visibility) -> str | None:
    return visibility.caller.username if visibility.caller else None
