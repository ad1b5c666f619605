"""Custom roles, shown together with those that are built in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    String,
    Text,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    union_all,
    update,
)

from services.auth.domain.grants import dump_actions, load_actions
from services.auth.domain.roles import BUILT_IN, actions_of
from services.auth.domain.teams import Role
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import grants, roles
from shared.api.paging import ListRequest, Page
from shared.database import UtcDateTime
from shared.listing import Listed, Listing, fetch_list


def _custom() -> Select[Any]:
    columns = [roles.c[name] for name in ("id", "name", "description", "actions", "created_at", "updated_at")]
    return select(*columns, literal(False).label("built_in"))


def _built_in(number: int, role: Role) -> Select[Any]:
    # Its number sorts it before the others; nobody is shown it.
    columns: list[ColumnElement[Any]] = [
        cast(literal(number - len(BUILT_IN)), Integer),
        cast(literal(role.value), String),
        cast(literal(BUILT_IN[role]), Text),
        cast(literal(dump_actions(actions_of(role))), String),
        cast(null(), UtcDateTime),
        cast(null(), UtcDateTime),
        cast(literal(True), Boolean),
    ]
    return select(*columns)


_shown = union_all(_custom(), *(_built_in(number, role) for number, role in enumerate(BUILT_IN))).subquery(
    "shown_roles"
)
_grants_count = (
    select(func.count())
    .where(grants.c.role_id == _shown.c.id)
    .correlate(_shown)
    .scalar_subquery()
    .label("grants_count")
)

ROLES = Listing(
    {
        "id": Listed(_shown.c.id),
        "name": Listed(_shown.c.name),
        "description": Listed(_shown.c.description),
        "built_in": Listed(_shown.c.built_in),
        "created_at": Listed(_shown.c.created_at),
        "updated_at": Listed(_shown.c.updated_at),
    },
    search=[_shown.c.name, _shown.c.description],
)
"""What the list of roles is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role as the API shows it."""

    id: int | None
    """``None`` for a built-in one, which nobody changes."""
    name: str
    description: str
    actions: frozenset[str]
    built_in: bool
    grants_count: int
    """Grants that carry it, ended or not."""
    created_at: datetime | None
    updated_at: datetime | None


def insert_role(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> int:
    """Insert a custom role and return its id.

    Args:
        values: ``name``, ``description``, ``actions`` as they are stored.
    """
    return insert_row(connection, roles, {**values, "created_at": now, "updated_at": now})


def update_role(connection: Connection, role_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a custom role."""
    connection.execute(update(roles).where(roles.c.id == role_id).values({**values, "updated_at": now}))


def delete_role(connection: Connection, role_id: int) -> None:
    """Delete a custom role that no grant carries."""
    connection.execute(delete(roles).where(roles.c.id == role_id))


def find_role(connection: Connection, role_id: int) -> RoleView | None:
    """Return a custom role."""
    row = connection.execute(_view().where(_shown.c.id == role_id, ~_shown.c.built_in)).one_or_none()
    return _load(row) if row else None


def find_role_named(connection: Connection, name: str) -> RoleView | None:
    """Return a custom role by its name."""
    row = connection.execute(_view().where(_shown.c.name == name, ~_shown.c.built_in)).one_or_none()
    return _load(row) if row else None


def list_roles(connection: Connection, request: ListRequest) -> Page[RoleView]:
    """Return a page of all roles."""
    return fetch_list(connection, _view(), ROLES, request, load=_load)


def count_roles(connection: Connection) -> int:
    """Count the custom roles."""
    return connection.execute(select(func.count()).select_from(roles)).scalar_one()


def _view() -> Select[Any]:
    return select(_shown, _grants_count)


def _load(row: Row[Any]) -> RoleView:
    values = dict(row._mapping)
    is_custom = not values["built_in"]
    return RoleView(**values | {"id": values["id"] if is_custom else None, "actions": load_actions(values["actions"])})
