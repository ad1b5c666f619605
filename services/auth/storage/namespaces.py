"""Namespaces, and which of them a subject may see."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, null, or_, select, true, update

from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Visibility
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.domain.visibility import Sight, sight_of
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import namespaces, team_members, teams, users
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

NAMESPACES = Listing(
    {
        "id": Listed(namespaces.c.id),
        "name": Listed(namespaces.c.name),
        "description": Listed(namespaces.c.description),
        "visibility": Listed(namespaces.c.visibility, choices=Visibility),
        "global": Listed(namespaces.c.name == GLOBAL_NAMESPACE),
        "team": Listed(teams.c.name),
        "team_id": Listed(namespaces.c.team_id),
        "created_at": Listed(namespaces.c.created_at),
        "updated_at": Listed(namespaces.c.updated_at),
    },
    search=[namespaces.c.name, namespaces.c.description],
)
"""What the list of namespaces is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class TeamRef:
    """A team, as far as a namespace mentions it."""

    id: int
    name: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """A namespace as the API shows it to one caller."""

    id: int
    name: str
    description: str
    visibility: Visibility
    team: TeamRef
    role: Role | None
    """The caller's own role in the team."""
    is_own: bool
    """Whether it is the caller's personal namespace."""
    created_at: datetime
    updated_at: datetime

    @property
    def is_global(self) -> bool:
        return self.name == GLOBAL_NAMESPACE

    @property
    def facts(self) -> NamespaceFacts:
        return NamespaceFacts(self.name, self.visibility, self.role, self.is_own)


def insert_namespace(
    connection: Connection, name: str, *, team_id: int, visibility: Visibility, description: str, now: datetime
) -> int:
    """Insert a namespace and return its id."""
    row = {"name": name, "team_id": team_id, "visibility": visibility.value, "description": description}
    times = {"created_at": now, "updated_at": now}
    return insert_row(connection, namespaces, {**row, **times})


def update_namespace(connection: Connection, namespace_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a namespace."""
    change = update(namespaces).where(namespaces.c.id == namespace_id)
    connection.execute(change.values({**values, "updated_at": now}))


def taken_namespace_names(connection: Connection, names: Collection[str]) -> set[str]:
    """Return which of the names are taken."""
    return set(connection.execute(select(namespaces.c.name).where(namespaces.c.name.in_(names))).scalars())


def find_namespace(connection: Connection, subject: Subject, namespace_id: int) -> NamespaceView | None:
    """Return a namespace that the subject may see."""
    statement = _view(subject).where(namespaces.c.id == namespace_id, _visible(sight_of(subject)))
    row = connection.execute(statement).one_or_none()
    return _load(row) if row else None


def list_namespaces(connection: Connection, subject: Subject, request: ListRequest) -> Page[NamespaceView]:
    """Return a page of the namespaces that the subject may see."""
    statement = _view(subject).where(_visible(sight_of(subject)))
    return fetch_list(connection, statement, NAMESPACES, request, load=_load)


def visible_names(connection: Connection, subject: Subject, *, limit: int) -> list[str]:
    """Return the names of the namespaces that the subject may see, in order."""
    statement = (
        select(namespaces.c.name)
        .select_from(namespaces.outerjoin(team_members, _membership(subject)))
        .where(_visible(sight_of(subject)))
    )
    return list(connection.execute(statement.order_by(namespaces.c.name).limit(limit)).scalars())


def _visible(sight: Sight) -> ColumnElement[bool]:
    if sight.everything:
        return true()
    return or_(*(_visible_as(visibility, roles) for visibility, roles in sight.places.items()))


def _visible_as(visibility: Visibility, roles: Collection[Role | None]) -> ColumnElement[bool]:
    named = team_members.c.role.in_([role.value for role in roles if role])
    standing = or_(named, team_members.c.role.is_(None)) if None in roles else named
    return and_(namespaces.c.visibility == visibility.value, standing)


def _membership(subject: Subject) -> ColumnElement[bool]:
    mine = team_members.c.user_id == (null() if subject.user_id is None else subject.user_id)
    return and_(team_members.c.team_id == namespaces.c.team_id, mine)


def _view(subject: Subject) -> Select[Any]:
    own = select(users.c.namespace_id).where(users.c.id == subject.user_id).scalar_subquery()
    return select(
        namespaces.c.id,
        namespaces.c.name,
        namespaces.c.description,
        namespaces.c.visibility,
        namespaces.c.created_at,
        namespaces.c.updated_at,
        teams.c.id.label("team_id"),
        teams.c.name.label("team_name"),
        teams.c.hidden.label("team_hidden"),
        team_members.c.role,
        (namespaces.c.id == own).label("is_own"),
    ).select_from(
        namespaces.join(teams, teams.c.id == namespaces.c.team_id).outerjoin(team_members, _membership(subject))
    )


def _load(row: Row[Any]) -> NamespaceView:
    values = dict(row._mapping)
    team = TeamRef(values.pop("team_id"), values.pop("team_name"), values.pop("team_hidden"))
    role, visibility = values.pop("role"), Visibility(values.pop("visibility"))
    is_own = bool(values.pop("is_own"))
    return NamespaceView(**values, team=team, role=Role(role) if role else None, visibility=visibility, is_own=is_own)
