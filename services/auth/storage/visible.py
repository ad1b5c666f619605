"""Which namespaces a subject may see, as a ``WHERE`` and as data: ``domain.visibility``, turned into SQL."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, false, func, or_, select, true

from services.auth.domain.grants import Action
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, Visibility
from services.auth.domain.patterns import NamespaceHead, covers_namespace, namespace_head
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.domain.visibility import Sight, sight_of
from services.auth.storage.tables import grants, namespaces, roles, team_members

MAX_WIDE_GRANTS = 1_000
"""Most grants without a namespace of their own that are read for one subject: administrators give them."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """Repositories of one namespace that a grant lets a subject see."""

    namespace: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Visible:
    """What a subject may see of one registry."""

    namespaces: tuple[str, ...]
    """Those that it may see whole, in order."""
    glimpses: tuple[Glimpse, ...]
    """Parts of others, in order."""


def visible_namespaces(connection: Connection, subject: Subject, *, now: datetime) -> ColumnElement[bool]:
    """Return the condition on ``namespaces`` under which a subject may see all or a part of one."""
    sight = sight_of(subject)
    if sight.everything:
        return true()
    granted = _is_granted(connection, subject, now) if sight.by_grant else false()
    return and_(or_(_by_place(sight, subject), granted), _within(sight))


def visible_names(connection: Connection, subject: Subject, names: Collection[str], *, now: datetime) -> set[str]:
    """Return those of the names that a namespace has of which the subject may see something."""
    visible = visible_namespaces(connection, subject, now=now)
    found = select(namespaces.c.name).where(namespaces.c.name.in_(sorted(names)), visible)
    return set(connection.execute(found).scalars())


def list_visible(connection: Connection, subject: Subject, *, registry_id: int, now: datetime, limit: int) -> Visible:
    """Return what a subject may see of a registry.

    Args:
        limit: most names, and most glimpses; what comes later in the alphabet is left out.
    """
    sight = sight_of(subject)
    here = and_(namespaces.c.registry_id == registry_id, _within(sight))
    place = true() if sight.everything else _by_place(sight, subject)
    names = select(namespaces.c.name).where(here, place).order_by(namespaces.c.name).limit(limit)
    whole = set(connection.execute(names).scalars())
    glimpses = _glimpses(connection, subject, here, now, limit) if sight.by_grant and not sight.everything else set()
    whole |= {each.namespace for each in glimpses if covers_namespace(each.pattern, each.namespace)}
    partial = (each for each in glimpses if each.namespace not in whole)
    ordered = sorted(partial, key=lambda each: (each.namespace, each.pattern))
    return Visible(tuple(sorted(whole)[:limit]), tuple(ordered[:limit]))


def _glimpses(
    connection: Connection, subject: Subject, here: ColumnElement[bool], now: datetime, limit: int
) -> set[Glimpse]:
    conditions = (*_pulling(subject, now), here, _at_home(subject))
    bound = select(namespaces.c.name, grants.c.pattern).select_from(
        grants.join(namespaces, namespaces.c.id == grants.c.namespace_id).outerjoin(
            roles, roles.c.id == grants.c.role_id
        )
    )
    rows = connection.execute(bound.where(*conditions).order_by(namespaces.c.name).limit(limit))
    found = {Glimpse(row.name, row.pattern) for row in rows}
    for pattern, registry_id in _wide_grants(connection, subject, now):
        reached = select(namespaces.c.name).where(here, _at_home(subject), _reaches(pattern, registry_id))
        names = connection.execute(reached.order_by(namespaces.c.name).limit(limit)).scalars()
        found |= {Glimpse(name, pattern) for name in names}
    return found


def _is_granted(connection: Connection, subject: Subject, now: datetime) -> ColumnElement[bool]:
    bound = exists().select_from(grants.outerjoin(roles, roles.c.id == grants.c.role_id))
    bound = bound.where(grants.c.namespace_id == namespaces.c.id, *_pulling(subject, now)).correlate(namespaces)
    wide = (_reaches(pattern, registry_id) for pattern, registry_id in _wide_grants(connection, subject, now))
    return and_(or_(bound, *wide), _at_home(subject))


def _wide_grants(connection: Connection, subject: Subject, now: datetime) -> set[tuple[str, int | None]]:
    """Return (pattern, registry or ``None`` for all) of the subject's grants that hold in more than one namespace."""
    statement = (
        select(grants.c.pattern, grants.c.registry_id)
        .select_from(grants.outerjoin(roles, roles.c.id == grants.c.role_id))
        .where(grants.c.namespace_id.is_(None), *_pulling(subject, now))
    )
    rows = connection.execute(statement.order_by(grants.c.id).limit(MAX_WIDE_GRANTS))
    return {(row.pattern, row.registry_id) for row in rows}


def _pulling(subject: Subject, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Tell the subject's grants of ``pull`` that have not expired."""
    actions = func.coalesce(grants.c.actions, roles.c.actions)
    return (
        _is_grantee(subject),
        # No other action has these letters in its name.
        actions.contains(Action.PULL.value),
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
    )


def _is_grantee(subject: Subject) -> ColumnElement[bool]:
    if subject.robot_id is not None:
        return grants.c.robot_id == subject.robot_id
    if subject.user_id is None:
        return false()
    mine: Select[Any] = select(team_members.c.team_id).where(team_members.c.user_id == subject.user_id)
    return or_(grants.c.user_id == subject.user_id, grants.c.team_id.in_(mine))


def _at_home(subject: Subject) -> ColumnElement[bool]:
    """Keep a robot to what it belongs to, as ``domain.decisions`` does."""
    home = subject.home
    if home is None:
        return true()
    namespace = true() if home.namespace_id is None else namespaces.c.id == home.namespace_id
    return and_(namespace, true() if home.team_id is None else namespaces.c.team_id == home.team_id)


def _reaches(pattern: str, registry_id: int | None) -> ColumnElement[bool]:
    here = true() if registry_id is None else namespaces.c.registry_id == registry_id
    return and_(here, _is_headed(namespace_head(pattern)))


def _is_headed(head: NamespaceHead) -> ColumnElement[bool]:
    """``NamespaceHead.covers``, in SQL."""
    name = namespaces.c.name
    is_global = name == GLOBAL_NAMESPACE
    named = name == head.text if head.is_whole_name else name.startswith(head.text, autoescape=True)
    return or_(and_(named, name != GLOBAL_NAMESPACE), is_global if head.reaches_global else false())


def _by_place(sight: Sight, subject: Subject) -> ColumnElement[bool]:
    """Tell what the visibility and the subject's role in the owning team let it see."""
    return or_(*(_visible_as(visibility, places, subject) for visibility, places in sight.places.items()))


def _visible_as(visibility: Visibility, places: Collection[Role | None], subject: Subject) -> ColumnElement[bool]:
    here = namespaces.c.visibility == visibility.value
    if len(places) == len(Role) + 1:
        return here
    named = _has_role([place.value for place in places if place], subject)
    return and_(here, or_(named, ~_has_role(list(Role), subject)) if None in places else named)


def _has_role(names: Collection[str], subject: Subject) -> ColumnElement[bool]:
    mine = and_(team_members.c.team_id == namespaces.c.team_id, team_members.c.user_id == subject.user_id)
    return exists().where(mine, team_members.c.role.in_(names)).correlate(namespaces)


def _within(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.only is None else namespaces.c.name.in_(sorted(sight.only))
