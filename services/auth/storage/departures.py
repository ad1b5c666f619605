"""What hangs on a person who is to go."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, false, func, select

from services.auth.domain.teams import Role
from services.auth.storage.tables import (
    application_tokens,
    grants,
    refresh_tokens,
    sessions,
    team_members,
    teams,
    users,
)


@dataclass(frozen=True, slots=True)
class Belongings:
    """How much goes with a person."""

    application_tokens: int
    sessions: int
    refresh_tokens: int
    grants: int


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in a team that people choose."""

    member_id: int
    team_id: int
    team: str
    role: Role
    only_owner: bool
    """Whether no other enabled person owns the team."""


def count_belongings(connection: Connection, user_id: int) -> Belongings:
    """Count what goes with a person."""
    counts = (
        select(func.count()).select_from(table).where(table.c.user_id == user_id).scalar_subquery().label(table.name)
        for table in (application_tokens, sessions, refresh_tokens, grants)
    )
    return Belongings(**connection.execute(select(*counts)).one()._mapping)


def list_memberships(connection: Connection, user_id: int) -> Sequence[Membership]:
    """Return the teams that a person is in, by name; the hidden one behind them is none of these."""
    others, owners = team_members.alias("others"), users.alias("owners")
    is_owned = exists().where(
        others.c.team_id == team_members.c.team_id,
        others.c.user_id != user_id,
        others.c.role == Role.OWNER.value,
        owners.c.id == others.c.user_id,
        owners.c.enabled,
    )
    found = (
        select(team_members.c.id, teams.c.id, teams.c.name, team_members.c.role, is_owned.correlate(team_members))
        .join(teams, teams.c.id == team_members.c.team_id)
        .where(team_members.c.user_id == user_id, teams.c.hidden == false())
        .order_by(teams.c.name)
    )
    return [
        Membership(member_id, team_id, team, Role(role), Role(role) is Role.OWNER and not owned)
        for member_id, team_id, team, role, owned in connection.execute(found)
    ]


def delete_user(connection: Connection, user_id: int) -> None:
    """Delete an account; memberships, sessions, tokens, logins and grants go with it."""
    # Before the account, because these do not go by themselves.
    for table in (team_members, sessions):
        connection.execute(delete(table).where(table.c.user_id == user_id))
    connection.execute(delete(users).where(users.c.id == user_id))
