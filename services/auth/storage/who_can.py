"""Everybody who could have a right in a namespace by name: candidates for "who can?", with their facts.

A candidate has an office, a role in the owning team, or a grant. Whether that allows anything is not
asked here: the domain decides for each of them, by the rule that signs tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select

from services.auth.domain.namespaces import NamespaceFacts
from services.auth.domain.subjects import RobotHome, Subject, person, robot
from services.auth.storage.facts import NOW, facts_columns, holds_in_namespace, load_facts
from services.auth.storage.tables import grants, namespaces, robots, team_members, teams, users


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could have a right, and the facts on the namespace for them."""

    subject: Subject
    display_name: str | None
    facts: NamespaceFacts | None
    """``None`` where there is no such namespace."""


def list_people(
    connection: Connection, namespace_id: int, *, after_id: int, limit: int, now: datetime
) -> Sequence[Candidate]:
    """Return enabled people with an office, a role or a grant, by id."""
    granted = _granted(or_(grants.c.user_id == users.c.id, grants.c.team_id.in_(_teams_of_user())))
    candidate = or_(users.c.administrator, users.c.auditor, team_members.c.id.is_not(None), granted)
    facts = facts_columns(user_id=users.c.id, own_namespace_id=users.c.namespace_id)
    person_columns = (users.c.id, users.c.username, users.c.display_name, users.c.administrator, users.c.auditor)
    statement = (
        select(*person_columns, *facts)
        .select_from(
            users.join(namespaces, namespaces.c.id == namespace_id)
            .join(teams, teams.c.id == namespaces.c.team_id)
            .outerjoin(
                team_members,
                and_(team_members.c.team_id == namespaces.c.team_id, team_members.c.user_id == users.c.id),
            )
        )
        .where(users.c.enabled, users.c.id > after_id, candidate)
    )
    rows = connection.execute(statement.order_by(users.c.id).limit(limit), {"now": now})
    return [Candidate(_person(row), row.display_name, load_facts(row)) for row in rows]


def list_officials(connection: Connection, *, after_id: int, limit: int) -> Sequence[Subject]:
    """Return enabled administrators and auditors, by id: who may do something where nobody else may."""
    columns = (users.c.id, users.c.username, users.c.administrator, users.c.auditor)
    official = and_(users.c.enabled, users.c.id > after_id, or_(users.c.administrator, users.c.auditor))
    rows = connection.execute(select(*columns).where(official).order_by(users.c.id).limit(limit))
    return [_person(row) for row in rows]


def list_robots(
    connection: Connection, namespace_id: int, *, after_id: int, limit: int, now: datetime
) -> Sequence[Candidate]:
    """Return usable robots with a grant in the namespace, by id."""
    columns = (
        robots.c.id,
        robots.c.username,
        robots.c.namespace_id.label("home_namespace_id"),
        robots.c.team_id.label("home_team_id"),
    )
    usable = and_(robots.c.enabled, or_(robots.c.expires_at.is_(None), robots.c.expires_at > NOW))
    statement: Select[Any] = (
        select(*columns, *facts_columns(robot_id=robots.c.id))
        .select_from(
            robots.join(namespaces, namespaces.c.id == namespace_id)
            .join(teams, teams.c.id == namespaces.c.team_id)
            .outerjoin(team_members, team_members.c.id.is_(None))
        )
        .where(usable, robots.c.id > after_id, _granted(grants.c.robot_id == robots.c.id))
    )
    rows = connection.execute(statement.order_by(robots.c.id).limit(limit), {"now": now})
    return [
        Candidate(
            robot(row.id, row.username, RobotHome(row.home_namespace_id, row.home_team_id)), None, load_facts(row)
        )
        for row in rows
    ]


def _granted(is_grantee: ColumnElement[bool]) -> ColumnElement[bool]:
    here = holds_in_namespace(namespaces.c.id, namespaces.c.registry_id)
    return exists().where(is_grantee, here).correlate(users, robots, namespaces)


def _teams_of_user() -> Select[Any]:
    membership = team_members.alias("candidate_members")
    return select(membership.c.team_id).where(membership.c.user_id == users.c.id).correlate(users)


def _person(row: Any) -> Subject:
    return person(row.id, row.username, administrator=row.administrator, auditor=row.auditor)
