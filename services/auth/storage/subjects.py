"""Subjects, found by what their tokens call them."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from services.auth.domain.robots import is_robot_username
from services.auth.domain.subjects import INTERNAL, INTERNAL_USERNAME, RobotHome, Subject, person, robot
from services.auth.domain.teams import Role
from services.auth.storage.credentials import searchable
from services.auth.storage.tables import robots, team_members, users


def find_subject(connection: Connection, username: str) -> Subject | None:
    """Return the enabled person or robot, or the internal account, of that name."""
    if username == INTERNAL_USERNAME:
        return INTERNAL
    return _find_robot(connection, username) if is_robot_username(username) else _find_person(connection, username)


def list_owner_names(connection: Connection, team_id: int, *, limit: int) -> Sequence[str]:
    """Return the usernames of a team's enabled owners, the longest-standing first."""
    owners = (
        select(users.c.username)
        .join(team_members, team_members.c.user_id == users.c.id)
        .where(team_members.c.team_id == team_id, team_members.c.role == Role.OWNER.value, users.c.enabled)
    )
    return connection.execute(owners.order_by(team_members.c.id).limit(limit)).scalars().all()


def list_administrator_names(connection: Connection, *, limit: int) -> Sequence[str]:
    """Return the usernames of enabled administrators."""
    administrators = select(users.c.username).where(users.c.administrator, users.c.enabled)
    return connection.execute(administrators.order_by(users.c.id).limit(limit)).scalars().all()


def _find_person(connection: Connection, username: str) -> Subject | None:
    columns = (users.c.id, users.c.username, users.c.administrator, users.c.auditor)
    found = select(*columns).where(users.c.username_key == searchable(username), users.c.enabled)
    row = connection.execute(found).one_or_none()
    return person(row.id, row.username, administrator=row.administrator, auditor=row.auditor) if row else None


def _find_robot(connection: Connection, username: str) -> Subject | None:
    columns = (robots.c.id, robots.c.username, robots.c.namespace_id, robots.c.team_id)
    found = select(*columns).where(robots.c.username == searchable(username), robots.c.enabled)
    row = connection.execute(found).one_or_none()
    return robot(row.id, row.username, RobotHome(row.namespace_id, row.team_id)) if row else None
