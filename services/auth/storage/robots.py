"""Robot accounts and their secrets, as those who look after them see them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, false, func, or_, select, true, update

from services.auth.domain.lifetimes import is_past
from services.auth.domain.subjects import RobotHome, Subject
from services.auth.storage.facts import NOW
from services.auth.storage.grants import GrantView, list_grants_of_robots
from services.auth.storage.lifetimes import has_ended
from services.auth.storage.memberships import teams_owned_by
from services.auth.storage.places import NamespacePlace
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import namespaces, registries, robot_secrets, robots, teams
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

_NEXT_END = (
    select(func.min(robot_secrets.c.expires_at))
    .where(robot_secrets.c.robot_id == robots.c.id, robot_secrets.c.expires_at > NOW)
    .scalar_subquery()
)

ROBOTS = Listing(
    {
        "id": Listed(robots.c.id),
        "username": Listed(robots.c.username, fold=str.lower),
        "name": Listed(robots.c.name),
        "description": Listed(robots.c.description),
        "namespace": Listed(namespaces.c.name),
        "namespace_id": Listed(robots.c.namespace_id),
        "team": Listed(teams.c.name),
        "enabled": Listed(robots.c.enabled),
        "expires_at": Listed(robots.c.expires_at),
        "expired": Listed(has_ended(robots.c.expires_at)),
        "secret_expires_at": Listed(_NEXT_END),
        "created_by": Listed(robots.c.created_by),
        "last_used_at": Listed(robots.c.last_used_at),
        "last_used_address": Listed(robots.c.last_used_address),
        "created_at": Listed(robots.c.created_at),
        "updated_at": Listed(robots.c.updated_at),
    },
    search=[robots.c.username, robots.c.description],
)
"""What the list of robots is sorted and narrowed by; ``secret_expires_at``: when a secret ends next."""


@dataclass(frozen=True, slots=True)
class RobotTeamRef:
    """The team that a robot belongs to."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Home:
    """What a robot belongs to; neither: the installation."""

    namespace: NamespacePlace | None = None
    team: RobotTeamRef | None = None

    @property
    def id(self) -> int | None:
        owner = self.namespace or self.team
        return owner.id if owner else None

    def __str__(self) -> str:
        if self.namespace is not None:
            return f"namespace:{self.namespace.name}"
        return f"team:{self.team.name}" if self.team else "installation"


@dataclass(frozen=True, slots=True)
class SecretView:
    """A secret of a robot, by what it may be named."""

    id: int
    robot_id: int
    expires_at: datetime | None
    expired: bool
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RobotView:
    """A robot account as the API shows it; never with a secret."""

    id: int
    username: str
    name: str
    description: str
    home: Home
    enabled: bool
    expires_at: datetime | None
    expired: bool
    allowed_addresses: tuple[str, ...] | None
    created_by: str
    last_used_at: datetime | None
    last_used_address: str | None
    created_at: datetime
    updated_at: datetime
    secret_expires_at: datetime | None
    """When one of its secrets ends next."""
    secrets: tuple[SecretView, ...] = ()
    permissions: tuple[GrantView, ...] = ()


def insert_robot(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> int:
    """Insert a robot and return its id.

    Args:
        values: ``username``, ``name``, ``description``, ``namespace_id``, ``team_id``, ``expires_at``,
            ``allowed_addresses``, ``created_by``.
    """
    return insert_row(connection, robots, {**values, "enabled": True, "created_at": now, "updated_at": now})


def update_robot(connection: Connection, robot_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a robot."""
    connection.execute(update(robots).where(robots.c.id == robot_id).values({**values, "updated_at": now}))


def delete_robot(connection: Connection, robot_id: int) -> None:
    """Delete a robot with its secrets, logins and grants."""
    connection.execute(delete(robots).where(robots.c.id == robot_id))


def home_columns(home: Home) -> dict[str, int | None]:
    """Return what is stored of a robot's home."""
    namespace, team = home.namespace, home.team
    return {"namespace_id": namespace.id if namespace else None, "team_id": team.id if team else None}


def taken_usernames(connection: Connection, usernames: Iterable[str]) -> set[str]:
    """Return which of the usernames robots have."""
    taken = select(robots.c.username).where(robots.c.username.in_(list(usernames)))
    return set(connection.execute(taken).scalars())


def names_at(connection: Connection, home: Home) -> set[str]:
    """Return the names of all robots of one namespace, of one team, or of the installation."""
    columns = home_columns(home)
    here = and_(*(robots.c[name] == value for name, value in columns.items()))
    return set(connection.execute(select(robots.c.name).where(here)).scalars())


def find_robot(connection: Connection, subject: Subject, robot_id: int, *, now: datetime) -> RobotView | None:
    """Return a robot that the subject looks after, or may at least see."""
    statement = _view().where(robots.c.id == robot_id, _known_to(subject))
    row = connection.execute(statement, {"now": now}).one_or_none()
    return _complete(connection, [_load(row, now)], now)[0] if row else None


def find_robot_named(connection: Connection, username: str, at_home: RobotHome | None) -> int | None:
    """Return the id of the robot of that name, if a grant in a namespace could be of use to it.

    Args:
        at_home: the namespace and the team that owns it; ``None``: any robot will do.
    """
    fit: ColumnElement[bool] = true()
    if at_home is not None:
        nowhere = and_(robots.c.namespace_id.is_(None), robots.c.team_id.is_(None))
        here = or_(robots.c.namespace_id == at_home.namespace_id, robots.c.team_id == at_home.team_id)
        fit = or_(nowhere, here)
    found = select(robots.c.id).where(robots.c.username == username.lower(), fit)
    robot_id: int | None = connection.execute(found).scalar()
    return robot_id


def list_robots(connection: Connection, subject: Subject, request: ListRequest, *, now: datetime) -> Page[RobotView]:
    """Return a page of the robots that the subject looks after; administrators and auditors get all."""
    statement = _view().where(_known_to(subject))
    page = fetch_list(connection, statement, ROBOTS, request, load=lambda row: _load(row, now), parameters={"now": now})
    return replace(page, rows=_complete(connection, page.rows, now))


def insert_secret(
    connection: Connection, robot_id: int, secret_hash: str, *, expires_at: datetime | None, now: datetime
) -> int:
    """Insert a secret of a robot and return its id."""
    row = {"robot_id": robot_id, "secret_hash": secret_hash, "expires_at": expires_at, "created_at": now}
    return insert_row(connection, robot_secrets, row)


def end_secret(connection: Connection, secret_id: int, *, expires_at: datetime) -> None:
    """Let a secret end at a moment."""
    connection.execute(update(robot_secrets).where(robot_secrets.c.id == secret_id).values(expires_at=expires_at))


def delete_secrets(connection: Connection, ids: Iterable[int]) -> None:
    """Delete secrets, and the logins that were made with them."""
    connection.execute(delete(robot_secrets).where(robot_secrets.c.id.in_(list(ids))))


def _known_to(subject: Subject) -> ColumnElement[bool]:
    if subject.administrator or subject.auditor:
        return true()
    if subject.user_id is None:
        return false()
    owned = teams_owned_by(subject)
    return or_(robots.c.team_id.in_(owned), namespaces.c.team_id.in_(owned))


def _view() -> Select[Any]:
    return select(
        robots,
        namespaces.c.name.label("namespace_name"),
        registries.c.hostname.label("registry_host"),
        teams.c.name.label("team_name"),
        _NEXT_END.label("secret_expires_at"),
    ).select_from(
        robots.outerjoin(namespaces, namespaces.c.id == robots.c.namespace_id)
        .outerjoin(registries, registries.c.id == namespaces.c.registry_id)
        .outerjoin(teams, teams.c.id == robots.c.team_id)
    )


def _load(row: Row[Any], now: datetime) -> RobotView:
    values = dict(row._mapping)
    namespace_id, *namespace = (values.pop(name) for name in ("namespace_id", "namespace_name", "registry_host"))
    team_id, team = values.pop("team_id"), values.pop("team_name")
    addresses = values.pop("allowed_addresses")
    return RobotView(
        **values,
        home=Home(
            None if namespace_id is None else NamespacePlace(namespace_id, *namespace),
            None if team_id is None else RobotTeamRef(team_id, team),
        ),
        expired=is_past(values["expires_at"], now),
        allowed_addresses=None if addresses is None else tuple(addresses),
    )


def _complete(connection: Connection, found: Sequence[RobotView], now: datetime) -> list[RobotView]:
    """Add secrets and permissions, with two statements for all."""
    ids = [robot.id for robot in found]
    secrets, permissions = _secrets_of(connection, ids, now), list_grants_of_robots(connection, ids, now=now)
    return [
        replace(robot, secrets=tuple(secrets.get(robot.id, ())), permissions=tuple(permissions.get(robot.id, ())))
        for robot in found
    ]


def _secrets_of(connection: Connection, ids: Iterable[int], now: datetime) -> dict[int, list[SecretView]]:
    columns = (robot_secrets.c[name] for name in ("id", "robot_id", "expires_at", "last_used_at", "created_at"))
    statement = select(*columns).where(robot_secrets.c.robot_id.in_(list(ids))).order_by(robot_secrets.c.id)
    found: dict[int, list[SecretView]] = {}
    for row in connection.execute(statement):
        view = SecretView(**row._mapping, expired=is_past(row.expires_at, now))
        found.setdefault(row.robot_id, []).append(view)
    return found
