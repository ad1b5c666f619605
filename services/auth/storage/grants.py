"""Grants, as those who give, get and look after them see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    false,
    func,
    not_,
    or_,
    select,
    true,
    update,
)

from services.auth.domain.accounts import username_key
from services.auth.domain.decisions import DeletePolicy, PushPolicy
from services.auth.domain.grants import Extent, GranteeKind, load_actions
from services.auth.domain.lifetimes import is_past
from services.auth.domain.registries import RegistryFacts
from services.auth.domain.subjects import Subject
from services.auth.storage.lifetimes import has_ended
from services.auth.storage.memberships import teams_of, teams_owned_by
from services.auth.storage.places import NamespacePlace, RegistryRef
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import grants, namespaces, registries, robots, roles, teams, users
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

_ACTIONS = func.coalesce(grants.c.actions, roles.c.actions)
_homes = namespaces.alias("robot_homes")

GRANTS = Listing(
    {
        "id": Listed(grants.c.id),
        "pattern": Listed(grants.c.pattern),
        "user": Listed(users.c.username_key, fold=username_key),
        "team": Listed(teams.c.name),
        "robot": Listed(robots.c.username, fold=str.lower),
        "namespace": Listed(namespaces.c.name),
        "namespace_id": Listed(grants.c.namespace_id),
        "role": Listed(roles.c.name),
        "from_administrator": Listed(grants.c.from_administrator),
        "created_by": Listed(grants.c.created_by),
        "expires_at": Listed(grants.c.expires_at),
        "expired": Listed(has_ended(grants.c.expires_at)),
        "created_at": Listed(grants.c.created_at),
        "updated_at": Listed(grants.c.updated_at),
    },
    search=[grants.c.pattern],
)
"""What the list of grants is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class GranteeRef:
    """Who has a grant."""

    kind: GranteeKind
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as the API shows it."""

    id: int
    grantee: GranteeRef
    to_auditor: bool
    namespace: NamespacePlace | None
    """``None``: it holds in many."""
    registry: RegistryRef | None
    """The one of the namespace, or the one in all of whose namespaces it holds; ``None``: in all of all."""
    registry_facts: RegistryFacts | None
    pattern: str
    actions: frozenset[str]
    role: str | None
    """Name of the custom role that the actions come from."""
    expires_at: datetime | None
    expired: bool
    reason: str
    from_administrator: bool
    created_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def extent(self) -> Extent:
        return Extent(self.pattern, self.actions, self.expires_at, self.from_administrator)


@dataclass(frozen=True, slots=True)
class GrantPlace:
    """Where a grant holds; see the table."""

    namespace_id: int | None = None
    registry_id: int | None = None


def insert_grant(
    connection: Connection, grantee: GranteeRef, place: GrantPlace, values: Mapping[str, Any], *, now: datetime
) -> int:
    """Insert a grant and return its id.

    Args:
        values: ``pattern``, ``actions`` or ``role_id``, ``expires_at``, ``reason``,
            ``from_administrator``, ``created_by``.
    """
    where = {"namespace_id": place.namespace_id, "registry_id": place.registry_id}
    row = {**where, _COLUMNS[grantee.kind].name: grantee.id, **values}
    return insert_row(connection, grants, {**row, "created_at": now, "updated_at": now})


def update_grant(connection: Connection, grant_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a grant."""
    connection.execute(update(grants).where(grants.c.id == grant_id).values({**values, "updated_at": now}))


def delete_grants(connection: Connection, ids: Iterable[int]) -> None:
    """Delete grants."""
    connection.execute(delete(grants).where(grants.c.id.in_(list(ids))))


def purge_grants(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Delete grants that ended before a moment; return how many there were."""
    old = select(grants.c.id).where(grants.c.expires_at <= before).limit(limit)
    return connection.execute(delete(grants).where(grants.c.id.in_(old))).rowcount


def find_grant(connection: Connection, subject: Subject, grant_id: int, *, now: datetime) -> GrantView | None:
    """Return a grant that the subject may know of, ended or not."""
    statement = _view().where(grants.c.id == grant_id, _known_to(subject))
    row = connection.execute(statement).one_or_none()
    return _load(row, now) if row else None


def list_grants(
    connection: Connection, subject: Subject, request: ListRequest, *, namespace_id: int | None = None, now: datetime
) -> Page[GrantView]:
    """Return a page of the grants that the subject may know of; those that have ended only when asked for.

    Args:
        namespace_id: only those that hold in this namespace only.
    """
    here = true() if namespace_id is None else grants.c.namespace_id == namespace_id
    live = true() if "expired" in request.filters else not_(has_ended(grants.c.expires_at))
    statement = _view().where(_known_to(subject), here, live)
    return fetch_list(connection, statement, GRANTS, request, load=lambda row: _load(row, now), parameters={"now": now})


def list_grants_of(connection: Connection, grantee: GranteeRef, place: GrantPlace, *, now: datetime) -> list[GrantView]:
    """Return all grants of one grantee at one place that have not ended."""
    here = (grants.c.namespace_id == place.namespace_id, grants.c.registry_id == place.registry_id)
    conditions = (_COLUMNS[grantee.kind] == grantee.id, *here, not_(has_ended(grants.c.expires_at)))
    rows = connection.execute(_view().where(*conditions).order_by(grants.c.id), {"now": now})
    return [_load(row, now) for row in rows]


def list_grants_of_role(connection: Connection, role_id: int, *, limit: int, now: datetime) -> list[GrantView]:
    """Return the grants that carry a role, ended or not."""
    statement = _view().where(grants.c.role_id == role_id).order_by(grants.c.id).limit(limit)
    return [_load(row, now) for row in connection.execute(statement)]


def list_grants_of_robots(connection: Connection, ids: Iterable[int], *, now: datetime) -> dict[int, list[GrantView]]:
    """Return what each of some robots was granted, ended or not, by the robot's id."""
    found: dict[int, list[GrantView]] = {}
    for row in connection.execute(_view().where(grants.c.robot_id.in_(list(ids))).order_by(grants.c.id)):
        found.setdefault(row.robot_id, []).append(_load(row, now))
    return found


def count_grants(connection: Connection, *, grantee: GranteeRef | None = None, namespace_id: int | None = None) -> int:
    """Count the grants of a grantee, or those of a namespace, ended or not."""
    mine = true() if grantee is None else _COLUMNS[grantee.kind] == grantee.id
    here = true() if namespace_id is None else grants.c.namespace_id == namespace_id
    return connection.execute(select(func.count()).select_from(grants).where(mine, here)).scalar_one()


_COLUMNS = {
    GranteeKind.USER: grants.c.user_id,
    GranteeKind.TEAM: grants.c.team_id,
    GranteeKind.ROBOT: grants.c.robot_id,
}


def _known_to(subject: Subject) -> ColumnElement[bool]:
    """Tell the grants that a subject gave, could give, or has."""
    if subject.administrator or subject.auditor:
        return true()
    if subject.user_id is None:
        return false()
    owned = teams_owned_by(subject)
    managed = or_(namespaces.c.team_id.in_(owned), robots.c.team_id.in_(owned), _homes.c.team_id.in_(owned))
    return or_(managed, grants.c.user_id == subject.user_id, grants.c.team_id.in_(teams_of(subject)))


def _view() -> Select[Any]:
    return select(
        *(grants.c[name] for name in ("id", "user_id", "team_id", "robot_id", "pattern", "expires_at", "reason")),
        *(grants.c[name] for name in ("from_administrator", "created_by", "created_at", "updated_at")),
        users.c.username,
        users.c.auditor,
        teams.c.name.label("team_name"),
        robots.c.username.label("robot_username"),
        namespaces.c.id.label("namespace_id"),
        namespaces.c.name.label("namespace_name"),
        registries.c.id.label("registry_id"),
        registries.c.name.label("registry_name"),
        registries.c.hostname.label("registry_host"),
        registries.c.service,
        registries.c.push_policy,
        registries.c.delete_policy,
        roles.c.name.label("role_name"),
        _ACTIONS.label("all_actions"),
    ).select_from(
        grants.outerjoin(users, users.c.id == grants.c.user_id)
        .outerjoin(teams, teams.c.id == grants.c.team_id)
        .outerjoin(robots, robots.c.id == grants.c.robot_id)
        .outerjoin(_homes, _homes.c.id == robots.c.namespace_id)
        .outerjoin(namespaces, namespaces.c.id == grants.c.namespace_id)
        .outerjoin(registries, registries.c.id == func.coalesce(namespaces.c.registry_id, grants.c.registry_id))
        .outerjoin(roles, roles.c.id == grants.c.role_id)
    )


def _load(row: Row[Any], now: datetime) -> GrantView:
    return GrantView(
        id=row.id,
        grantee=_grantee(row),
        to_auditor=bool(row.auditor),
        namespace=_namespace(row),
        registry=None if row.registry_id is None else RegistryRef(row.registry_id, row.registry_name),
        registry_facts=_registry_facts(row),
        pattern=row.pattern,
        actions=load_actions(row.all_actions),
        role=row.role_name,
        expires_at=row.expires_at,
        expired=is_past(row.expires_at, now),
        reason=row.reason,
        from_administrator=row.from_administrator,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _namespace(row: Row[Any]) -> NamespacePlace | None:
    if row.namespace_id is None:
        return None
    return NamespacePlace(row.namespace_id, row.namespace_name, row.registry_host)


def _grantee(row: Row[Any]) -> GranteeRef:
    if row.user_id is not None:
        return GranteeRef(GranteeKind.USER, row.user_id, row.username)
    if row.team_id is not None:
        return GranteeRef(GranteeKind.TEAM, row.team_id, row.team_name)
    return GranteeRef(GranteeKind.ROBOT, row.robot_id, row.robot_username)


def _registry_facts(row: Row[Any]) -> RegistryFacts | None:
    if row.registry_id is None:
        return None
    push, delete_policy = row.push_policy, row.delete_policy
    return RegistryFacts(
        row.registry_id,
        row.service,
        push=push and PushPolicy(push),
        delete=delete_policy and DeletePolicy(delete_policy),
    )
