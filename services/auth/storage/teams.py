"""Teams and who is in them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, false, func, select, true, update

from services.auth.domain.accounts import username_key
from services.auth.domain.management import Place, team_place
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import namespaces, team_members, teams, users
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

_EVERYBODY = team_members.alias("everybody")
_USERS_COUNT = (
    select(func.count())
    .select_from(_EVERYBODY.join(users, users.c.id == _EVERYBODY.c.user_id))
    .where(_EVERYBODY.c.team_id == teams.c.id, users.c.enabled)
    .correlate(teams)
    .scalar_subquery()
)
_NAMESPACES_COUNT = (
    select(func.count()).select_from(namespaces).where(namespaces.c.team_id == teams.c.id).correlate(teams)
).scalar_subquery()

TEAMS = Listing(
    {
        "id": Listed(teams.c.id),
        "name": Listed(teams.c.name),
        "description": Listed(teams.c.description),
        "role": Listed(team_members.c.role, choices=Role),
        "users_count": Listed(_USERS_COUNT),
        "namespaces_count": Listed(_NAMESPACES_COUNT),
        "created_at": Listed(teams.c.created_at),
        "updated_at": Listed(teams.c.updated_at),
    },
    search=[teams.c.name, teams.c.description],
)
"""What the list of teams is sorted and narrowed by."""

MEMBERS = Listing(
    {
        "id": Listed(team_members.c.id),
        "user_id": Listed(team_members.c.user_id),
        "username": Listed(users.c.username_key, fold=username_key),
        "display_name": Listed(users.c.display_name),
        "admin": Listed(users.c.administrator),
        "enabled": Listed(users.c.enabled),
        "bot": Listed(users.c.bot),
        "role": Listed(team_members.c.role, choices=Role),
        "created_at": Listed(team_members.c.created_at),
        "updated_at": Listed(team_members.c.updated_at),
    },
    search=[users.c.username, users.c.display_name],
)
"""What the list of a team's members is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team as the API shows it to one caller."""

    id: int
    name: str
    description: str
    hidden: bool
    role: Role | None
    """The caller's own."""
    users_count: int
    """Enabled members."""
    namespaces_count: int
    created_at: datetime
    updated_at: datetime

    @property
    def place(self) -> Place:
        """It, as a place to manage."""
        return team_place(self.role, hidden=self.hidden)


@dataclass(frozen=True, slots=True)
class MemberView:
    """One person's place in a team."""

    id: int
    team_id: int
    user_id: int
    username: str
    display_name: str | None
    admin: bool
    enabled: bool
    bot: bool
    role: Role
    created_at: datetime
    updated_at: datetime


def insert_team(
    connection: Connection, name: str, *, description: str = "", hidden: bool = False, now: datetime
) -> int:
    """Insert a team and return its id."""
    row = {"name": name, "description": description, "hidden": hidden, "created_at": now, "updated_at": now}
    return insert_row(connection, teams, row)


def update_team(connection: Connection, team_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a team."""
    connection.execute(update(teams).where(teams.c.id == team_id).values({**values, "updated_at": now}))


def delete_team(connection: Connection, team_id: int) -> None:
    """Delete a team that has no namespace; its members leave it, its robots and grants go with it."""
    connection.execute(delete(team_members).where(team_members.c.team_id == team_id))
    connection.execute(delete(teams).where(teams.c.id == team_id))


def taken_team_names(connection: Connection, names: Collection[str]) -> set[str]:
    """Return which of the names are taken, by hidden teams too."""
    return set(connection.execute(select(teams.c.name).where(teams.c.name.in_(names))).scalars())


def find_team(connection: Connection, subject: Subject, team_id: int) -> TeamView | None:
    """Return a team that people may know of."""
    row = connection.execute(_team_view(subject).where(teams.c.id == team_id)).one_or_none()
    return _load_team(row) if row else None


def find_team_named(connection: Connection, subject: Subject, name: str) -> TeamView | None:
    """Return a team that people may know of, by its name."""
    row = connection.execute(_team_view(subject).where(teams.c.name == name)).one_or_none()
    return _load_team(row) if row else None


def list_teams(connection: Connection, subject: Subject, request: ListRequest, *, everything: bool) -> Page[TeamView]:
    """Return a page of the teams that the caller is in.

    Args:
        everything: whether the caller may see all the others, too.
    """
    mine = true() if everything else team_members.c.role.is_not(None)
    return fetch_list(connection, _team_view(subject).where(mine), TEAMS, request, load=_load_team)


def find_team_id(connection: Connection, name: str) -> int:
    """Return the id of the team of that name, hidden or not; it is known to be there."""
    team_id: int = connection.execute(select(teams.c.id).where(teams.c.name == name)).scalar_one()
    return team_id


def lock_team(connection: Connection, team_id: int) -> None:
    """Keep others from changing the team's members until the transaction ends."""
    connection.execute(select(teams.c.id).where(teams.c.id == team_id).with_for_update())


def insert_member(connection: Connection, team_id: int, user_id: int, role: Role, *, now: datetime) -> int:
    """Insert a membership and return its id."""
    row = {"team_id": team_id, "user_id": user_id, "role": role.value, "created_at": now, "updated_at": now}
    return insert_row(connection, team_members, row)


def update_member(connection: Connection, member_id: int, role: Role, *, now: datetime) -> None:
    """Change a member's role."""
    change = update(team_members).where(team_members.c.id == member_id)
    connection.execute(change.values(role=role.value, updated_at=now))


def promote_member(connection: Connection, team_id: int, user_id: int, *, now: datetime) -> Role:
    """Make a member an owner; return what they were."""
    mine = and_(team_members.c.team_id == team_id, team_members.c.user_id == user_id)
    before = Role(connection.execute(select(team_members.c.role).where(mine)).scalar_one())
    connection.execute(update(team_members).where(mine).values(role=Role.OWNER.value, updated_at=now))
    return before


def delete_member(connection: Connection, member_id: int) -> None:
    """Remove a membership."""
    connection.execute(delete(team_members).where(team_members.c.id == member_id))


def find_member(connection: Connection, team_id: int, member_id: int) -> MemberView | None:
    """Return one member of a team, disabled or not."""
    found = _member_view().where(team_members.c.team_id == team_id, team_members.c.id == member_id)
    row = connection.execute(found).one_or_none()
    return _load_member(row) if row else None


def is_member(connection: Connection, team_id: int, user_id: int) -> bool:
    """Tell whether a person is in a team."""
    found = select(team_members.c.id).where(team_members.c.team_id == team_id, team_members.c.user_id == user_id)
    return connection.execute(found).first() is not None


def list_members(connection: Connection, team_id: int, request: ListRequest) -> Page[MemberView]:
    """Return a page of a team's enabled members."""
    statement = _member_view().where(team_members.c.team_id == team_id, users.c.enabled)
    return fetch_list(connection, statement, MEMBERS, request, load=_load_member)


def count_other_owners(connection: Connection, member: MemberView) -> int:
    """Count the owners of a team besides one member; a disabled one cannot act and does not count."""
    others = (
        select(func.count())
        .select_from(team_members.join(users, users.c.id == team_members.c.user_id))
        .where(
            team_members.c.team_id == member.team_id,
            team_members.c.id != member.id,
            team_members.c.role == Role.OWNER.value,
            users.c.enabled,
        )
    )
    return connection.execute(others).scalar_one()


def _team_view(subject: Subject) -> Select[Any]:
    mine = and_(team_members.c.team_id == teams.c.id, team_members.c.user_id == subject.user_id)
    columns = (teams.c.id, teams.c.name, teams.c.description, teams.c.hidden, teams.c.created_at, teams.c.updated_at)
    counts = (_USERS_COUNT.label("users_count"), _NAMESPACES_COUNT.label("namespaces_count"))
    statement = select(*columns, team_members.c.role, *counts).select_from(teams.outerjoin(team_members, mine))
    return statement.where(teams.c.hidden == false())


def _member_view() -> Select[Any]:
    return select(
        team_members.c.id,
        team_members.c.team_id,
        team_members.c.user_id,
        users.c.username,
        users.c.display_name,
        users.c.administrator.label("admin"),
        users.c.enabled,
        users.c.bot,
        team_members.c.role,
        team_members.c.created_at,
        team_members.c.updated_at,
    ).join(users, users.c.id == team_members.c.user_id)


def _load_team(row: Row[Any]) -> TeamView:
    values = dict(row._mapping)
    role = values.pop("role")
    return TeamView(**values, role=Role(role) if role else None)


def _load_member(row: Row[Any]) -> MemberView:
    values = dict(row._mapping)
    return MemberView(**values | {"role": Role(values["role"])})
