"""Grants that have ended, for telling their former holders so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, false, func, or_, select

from services.auth.domain.grants import load_actions
from services.auth.domain.refusals import LapsedGrant
from services.auth.domain.subjects import Subject
from services.auth.storage.tables import grants, namespaces, roles, team_members

REMEMBERED = timedelta(days=30)
"""How long a grant that has ended is spoken of."""
MAX_LAPSED = 20


def find_lapsed_grants(
    connection: Connection, subject: Subject, namespace: str, *, registry_id: int, now: datetime
) -> Sequence[LapsedGrant]:
    """Return the subject's grants that held in a namespace and ended not long ago, the latest first.

    One statement, whether there is such a namespace or not.
    """
    here = select(namespaces.c.id).where(namespaces.c.registry_id == registry_id, namespaces.c.name == namespace)
    everywhere = and_(
        grants.c.namespace_id.is_(None), or_(grants.c.registry_id.is_(None), grants.c.registry_id == registry_id)
    )
    teams = select(team_members.c.team_id).where(team_members.c.user_id == subject.user_id)
    people = or_(grants.c.user_id == subject.user_id, grants.c.team_id.in_(teams)) if subject.user_id else false()
    mine = grants.c.robot_id == subject.robot_id if subject.robot_id else people
    ended = and_(grants.c.expires_at <= now, grants.c.expires_at > now - REMEMBERED)
    statement = (
        select(grants.c.pattern, func.coalesce(grants.c.actions, roles.c.actions), grants.c.expires_at)
        .select_from(grants.outerjoin(roles, roles.c.id == grants.c.role_id))
        .where(mine, ended, or_(grants.c.namespace_id == here.scalar_subquery(), everywhere))
    )
    rows = connection.execute(statement.order_by(grants.c.expires_at.desc()).limit(MAX_LAPSED))
    return [LapsedGrant(pattern, load_actions(actions), ended_at) for pattern, actions, ended_at in rows]
