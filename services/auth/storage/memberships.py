"""The teams of a person, as subqueries."""

from typing import Any

from sqlalchemy import Select, select

from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.storage.tables import team_members


def teams_of(subject: Subject) -> Select[Any]:
    """Select the ids of the teams that a person is in."""
    return select(team_members.c.team_id).where(team_members.c.user_id == subject.user_id)


def teams_owned_by(subject: Subject) -> Select[Any]:
    """Select the ids of the teams that a person owns, the hidden one behind the personal namespace included."""
    return teams_of(subject).where(team_members.c.role == Role.OWNER.value)
