"""What is frozen by hand in a namespace."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from services.auth.domain.freezes import NewFreeze
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import freezes
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

_columns = freezes.c

FREEZES = Listing(
    {
        "id": Listed(_columns.id),
        "repository": Listed(_columns.repository),
        "reason": Listed(_columns.reason),
        "created_by": Listed(_columns.created_by),
        "created_at": Listed(_columns.created_at),
    },
    search=[_columns.repository, _columns.reason],
)
"""What the list of freezes is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class FreezeView:
    """A freeze as the API shows it."""

    id: int
    namespace_id: int
    repository: str
    """Empty: the whole namespace."""
    reason: str
    created_by: str
    created_at: datetime


_shown = select(*(_columns[name] for name in FreezeView.__slots__))


def insert_freeze(connection: Connection, namespace_id: int, new: NewFreeze, *, created_by: str, now: datetime) -> int:
    """Insert a freeze and return its id."""
    values = {"namespace_id": namespace_id, "repository": new.repository, "reason": new.reason}
    return insert_row(connection, freezes, {**values, "created_by": created_by, "created_at": now})


def update_reason(connection: Connection, freeze_id: int, reason: str) -> None:
    """Say otherwise why something is frozen."""
    connection.execute(update(freezes).where(_columns.id == freeze_id).values(reason=reason))


def delete_freeze(connection: Connection, freeze_id: int) -> None:
    """End a freeze."""
    connection.execute(delete(freezes).where(_columns.id == freeze_id))


def find_freeze(connection: Connection, namespace_id: int, freeze_id: int) -> FreezeView | None:
    """Return a freeze of a namespace."""
    statement = _shown.where(_columns.id == freeze_id, _columns.namespace_id == namespace_id)
    row = connection.execute(statement).one_or_none()
    return _load(row) if row else None


def find_freeze_of(connection: Connection, namespace_id: int, repository: str) -> FreezeView | None:
    """Return the freeze of a repository, or of the whole namespace when the name is empty."""
    statement = _shown.where(_columns.namespace_id == namespace_id, _columns.repository == repository)
    row = connection.execute(statement).one_or_none()
    return _load(row) if row else None


def count_freezes(connection: Connection, namespace_id: int) -> int:
    """Return how many freezes a namespace has."""
    counted = select(func.count()).select_from(freezes).where(_columns.namespace_id == namespace_id)
    return connection.execute(counted).scalar_one()


def list_freezes(connection: Connection, namespace_id: int, request: ListRequest) -> Page[FreezeView]:
    """Return a page of the freezes of a namespace."""
    statement = _shown.where(_columns.namespace_id == namespace_id)
    return fetch_list(connection, statement, FREEZES, request, load=_load)


def _load(row: Row[Any]) -> FreezeView:
    return FreezeView(**row._mapping)
