"""Names that begin as somebody has begun to type, a few of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, false, func, or_, select, true

from services.auth.domain.subjects import Subject
from services.auth.storage.tables import team_members, teams, users

LIMIT = 10
"""Most names of one answer: whoever sees more has not typed enough."""


@dataclass(frozen=True, slots=True)
class TeamSuggestion:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class UserSuggestion:
    id: int
    name: str
    """Username."""
    display_name: str | None


def suggest_teams(
    connection: Connection, subject: Subject, beginning: str, *, everything: bool
) -> Sequence[TeamSuggestion]:
    """Return teams that the subject is in, never a hidden one.

    Args:
        everything: whether the subject may see all the others, too.
    """
    mine = select(team_members.c.team_id).where(team_members.c.user_id == subject.user_id)
    seen = true() if everything else teams.c.id.in_(mine)
    named = func.lower(teams.c.name).startswith(beginning.lower(), autoescape=True)
    statement = select(teams.c.id, teams.c.name).where(teams.c.hidden == false(), seen, named)
    rows = connection.execute(statement.order_by(teams.c.name).limit(LIMIT))
    return [TeamSuggestion(*row) for row in rows]


def suggest_members(connection: Connection, team_id: int, beginning: str) -> Sequence[UserSuggestion]:
    """Return enabled people who could be taken into a team, by username or display name."""
    start = beginning.lower()
    named = or_(
        users.c.username_key.startswith(start, autoescape=True),
        func.lower(users.c.display_name).startswith(start, autoescape=True),
    )
    members = select(team_members.c.user_id).where(team_members.c.team_id == team_id)
    statement = select(users.c.id, users.c.username, users.c.display_name)
    wanted = statement.where(users.c.enabled, users.c.id.not_in(members), named)
    rows = connection.execute(wanted.order_by(users.c.username_key).limit(LIMIT))
    return [UserSuggestion(*row) for row in rows]
