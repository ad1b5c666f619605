"""Repositories as the API lists them, always through the caller's visibility."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from services.catalog.storage.tables import repositories
from services.catalog.storage.visible import visible_to
from shared.visibility.answers import Visibility


@dataclass(frozen=True, slots=True)
class RepositoryFilter:
    """Which repositories a list is about; ``None`` does not narrow it."""

    namespace: str | None = None
    name: str | None = None
    """An exact full name."""
    q: str | None = None
    """A part of the full name."""


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
    connection: Connection, visibility: Visibility, wanted: RepositoryFilter, *, offset: int, limit: int
) -> tuple[Sequence[RepositoryRow], int]:
    """Return a page of the repositories that hold a tag, by name, and how many there are in all."""
    conditions = [visible_to(visibility, connection.dialect), *_narrowing(wanted)]
    total = connection.execute(select(func.count()).select_from(repositories).where(*conditions)).scalar_one()
    query = _columns().where(*conditions).order_by(repositories.c.full_name).offset(offset).limit(limit)
    return [RepositoryRow(*row) for row in connection.execute(query)], total


def find_repository(connection: Connection, visibility: Visibility, repository: int) -> RepositoryRow | None:
    """Return a repository, or ``None`` when it is missing, empty or not to be seen: nobody can tell which."""
    query = _columns().where(repositories.c.id == repository, visible_to(visibility, connection.dialect))
    row = connection.execute(query).one_or_none()
    return RepositoryRow(*row) if row else None


def _narrowing(wanted: RepositoryFilter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.namespace:
        conditions.append(repositories.c.namespace == wanted.namespace)
    if wanted.name:
        conditions.append(repositories.c.full_name == wanted.name)
    if wanted.q:
        conditions.append(repositories.c.full_name.icontains(wanted.q, autoescape=True))
    return conditions


def _columns() -> Select[Any]:
    return select(*(repositories.c[name] for name in RepositoryRow.__slots__))
