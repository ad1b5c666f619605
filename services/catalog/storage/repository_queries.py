"""Repositories as the API lists them, always through the caller's visibility."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from services.catalog.storage.tables import repositories
from services.catalog.storage.visible import visible_to
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part
from shared.visibility.answers import Visibility

REPOSITORIES = Listing(
    {
        "id": Listed(repositories.c.id),
        # The old parameter for what is called full_name now.
        "name": Listed(repositories.c.full_name),
        "full_name": Listed(repositories.c.full_name, prefix=True),
        "namespace": Listed(repositories.c.namespace),
        "global": Listed(repositories.c.namespace.is_(None)),
        "tags_count": Listed(repositories.c.tags_count),
        "size_bytes": Listed(repositories.c.size_bytes),
        "pulls": Listed(repositories.c.pulls),
        "created_at": Listed(repositories.c.created_at),
        "updated_at": Listed(repositories.c.updated_at),
    },
    search=[repositories.c.full_name],
    order=Order("full_name"),
)
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

    @property
    def name(self) -> str:
        return self.full_name.removeprefix(f"{self.namespace}/") if self.namespace else self.full_name


def list_repositories(
    connection: Connection, visibility: Visibility, request: ListRequest
) -> Page[RepositoryRow] | Slice[RepositoryRow]:
    """Return a part of the repositories that hold a tag."""
    query = _columns().where(visible_to(visibility, connection.dialect))
    return fetch_part(connection, query, REPOSITORIES, request, load=_load)


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
    query = _columns().where(repositories.c.id == repository, seen)
    row = connection.execute(query).one_or_none()
    return _load(row) if row else None


def _columns() -> Select[Any]:
    return select(*(repositories.c[name] for name in RepositoryRow.__slots__))
