"""The one read of the token path: the caller, their recent failures, the registry, and the namespaces asked for.

A registry's client waits for this statement at every push and pull, so each of the four (password,
application token, robot, refresh token) is built once, brings all that authentication and the
decisions need, and nothing is written beside it.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    and_,
    bindparam,
    false,
    literal,
    select,
)

from services.auth.domain.accounts import is_username, username_key
from services.auth.domain.decisions import DeletePolicy, PushPolicy
from services.auth.domain.grants import load_actions
from services.auth.domain.namespaces import Namespaces
from services.auth.domain.registries import RegistryFacts
from services.auth.domain.subjects import Narrowing, RobotHome
from services.auth.domain.throttle import Failures, FailureState
from services.auth.storage.facts import facts_columns, load_facts
from services.auth.storage.prepared import PreparedSelect
from services.auth.storage.tables import (
    application_tokens,
    login_failures,
    namespaces,
    refresh_tokens,
    registries,
    robot_secrets,
    robots,
    team_members,
    teams,
    users,
)

WHOLE_ADDRESS = ""
"""Stands in for the account in the row that counts all failures of an address."""


@dataclass(frozen=True, slots=True)
class StoredUser:
    """What is kept about a person, as far as authentication needs it."""

    id: int
    username: str
    password_hash: str | None = field(repr=False)
    """``None`` for a bot, which has none."""
    administrator: bool
    auditor: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An application token."""

    id: int
    name: str
    narrowing: Narrowing | None
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredRobot:
    """A robot and the one of its secrets that was shown."""

    id: int
    username: str
    home: RobotHome
    enabled: bool
    expires_at: datetime | None
    allowed_addresses: tuple[str, ...] | None
    secret_id: int
    secret_expires_at: datetime | None
    last_used_at: datetime | None
    """Of the secret."""


@dataclass(frozen=True, slots=True)
class StoredRefreshToken:
    """A refresh token for the registry."""

    id: int
    registry_id: int
    expires_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class CallerRecord:
    """What the database knows about a caller and about what is asked."""

    user: StoredUser | None = None
    token: StoredToken | None = None
    robot: StoredRobot | None = None
    refresh_token: StoredRefreshToken | None = None
    failures: FailureState = field(default_factory=FailureState)
    registry: RegistryFacts | None = None
    """``None`` when the request names none that is known."""
    namespaces: Namespaces = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token request is about, besides the caller."""

    service_key: str | None
    """See ``domain.registries.service_key``."""
    namespaces: Collection[str]
    """First components of the repositories asked for."""
    now: datetime


def account_hash(username: str) -> str:
    """Return how failures of a name are filed: people type passwords into name fields."""
    return hashlib.sha256(username_key(username).encode("utf-8", "surrogatepass")).hexdigest()


def find_caller(connection: Connection, username: str | None, address: str, asked: Asked) -> CallerRecord:
    """Read everything that a request with a name and a password, or with neither, needs.

    Args:
        username: as given by the caller; ``None`` for an anonymous one.
        address: what failures are counted under.
    """
    parameters = {
        "username_key": None if username is None else searchable(username),
        "account": None if username is None else account_hash(username),
        "address": address,
    }
    rows = _BY_PASSWORD.rows(connection, {**parameters, **_asked(asked)})
    return CallerRecord(
        user=_user(rows[0]), failures=_failures(rows[0]), registry=_registry(rows[0]), namespaces=_namespaces(rows)
    )


def find_token_caller(connection: Connection, secret_hash: str, asked: Asked) -> CallerRecord:
    """Read everything that a request with an application token needs; ended tokens are found, too."""
    rows = _BY_TOKEN.rows(connection, {"secret_hash": secret_hash, **_asked(asked)})
    return CallerRecord(
        user=_user(rows[0]), token=_token(rows[0]), registry=_registry(rows[0]), namespaces=_namespaces(rows)
    )


def find_robot_caller(connection: Connection, secret_hash: str, asked: Asked) -> CallerRecord:
    """Read everything that a request with a robot's secret needs; ended ones are found, too."""
    rows = _BY_ROBOT.rows(connection, {"secret_hash": secret_hash, **_asked(asked)})
    return CallerRecord(robot=_robot(rows[0]), registry=_registry(rows[0]), namespaces=_namespaces(rows))


def find_refresh_caller(connection: Connection, token_hash: str, asked: Asked) -> CallerRecord:
    """Read everything that a request with a refresh token needs; ended ones are found, too."""
    rows = _BY_REFRESH_TOKEN.rows(connection, {"secret_hash": token_hash, **_asked(asked)})
    row = rows[0]
    found = None
    if row.refresh_id is not None:
        found = StoredRefreshToken(
            row.refresh_id, row.refresh_registry_id, row.refresh_expires_at, row.refresh_last_used_at
        )
    return CallerRecord(
        user=_user(row),
        token=_token(row),
        robot=_robot(row),
        refresh_token=found,
        registry=_registry(row),
        namespaces=_namespaces(rows),
    )


def searchable(username: str) -> str:
    """Return what a name is looked up by; what cannot be a name is looked up as one that nobody has."""
    # PostgreSQL cannot even be asked about a NUL or half a surrogate pair; no name is empty.
    return username_key(username) if is_username(username) else ""


def _asked(asked: Asked) -> dict[str, Any]:
    # An empty IN needs a statement of its own in the cache; this name cannot exist.
    return {"service_key": asked.service_key, "namespaces": list(asked.namespaces) or ["/"], "now": asked.now}


# A row that is always there: each of the others may be missing.
_one = select(literal(1).label("one")).subquery("one")
_pair = login_failures.alias("pair")
_whole = login_failures.alias("whole")

_USER = (
    users.c.id,
    users.c.username,
    users.c.password_hash,
    users.c.administrator,
    users.c.auditor,
    users.c.enabled,
)
_FAILURES = (
    _pair.c.failures.label("pair_count"),
    _pair.c.last_at.label("pair_last_at"),
    _whole.c.failures.label("whole_count"),
    _whole.c.last_at.label("whole_last_at"),
)
_TOKEN = (
    application_tokens.c.id.label("token_id"),
    application_tokens.c.name.label("token_name"),
    application_tokens.c.actions.label("token_actions"),
    application_tokens.c.namespaces.label("token_namespaces"),
    application_tokens.c.expires_at.label("token_expires_at"),
    application_tokens.c.last_used_at.label("token_last_used_at"),
)
_ROBOT = (
    robots.c.id.label("robot_id"),
    robots.c.username.label("robot_username"),
    robots.c.namespace_id.label("robot_namespace_id"),
    robots.c.team_id.label("robot_team_id"),
    robots.c.enabled.label("robot_enabled"),
    robots.c.expires_at.label("robot_expires_at"),
    robots.c.allowed_addresses.label("robot_addresses"),
    robot_secrets.c.last_used_at.label("robot_last_used_at"),
    robot_secrets.c.id.label("robot_secret_id"),
    robot_secrets.c.expires_at.label("robot_secret_expires_at"),
)
_REFRESH = (
    refresh_tokens.c.id.label("refresh_id"),
    refresh_tokens.c.registry_id.label("refresh_registry_id"),
    refresh_tokens.c.expires_at.label("refresh_expires_at"),
    refresh_tokens.c.last_used_at.label("refresh_last_used_at"),
)
_REGISTRY = (
    registries.c.id.label("registry_id"),
    registries.c.service.label("registry_service"),
    registries.c.token_ttl_s.label("registry_ttl_s"),
    registries.c.push_policy.label("registry_push"),
    registries.c.delete_policy.label("registry_delete"),
)


def _statement(
    source: FromClause,
    columns: Sequence[ColumnElement[Any]],
    *,
    user_id: ColumnElement[Any] | None = None,
    robot_id: ColumnElement[Any] | None = None,
) -> PreparedSelect:
    """Complete a statement about a caller by the registry and the namespaces."""
    own = None if user_id is None else users.c.namespace_id
    membership = false() if user_id is None else team_members.c.user_id == user_id
    facts = facts_columns(user_id=user_id, robot_id=robot_id, own_namespace_id=own)
    statement = select(*columns, *_REGISTRY, *facts).select_from(
        source.outerjoin(registries, registries.c.service == bindparam("service_key"))
        .outerjoin(
            namespaces,
            and_(
                namespaces.c.registry_id == registries.c.id,
                namespaces.c.name.in_(bindparam("namespaces", expanding=True)),
            ),
        )
        .outerjoin(teams, teams.c.id == namespaces.c.team_id)
        .outerjoin(team_members, and_(team_members.c.team_id == namespaces.c.team_id, membership))
    )
    return PreparedSelect(statement, expanding="namespaces")


_shown_secret: BindParameter[Any] = bindparam("secret_hash")

_BY_PASSWORD = _statement(
    _one.outerjoin(users, users.c.username_key == bindparam("username_key"))
    .outerjoin(_pair, and_(_pair.c.account == bindparam("account"), _pair.c.address == bindparam("address")))
    .outerjoin(_whole, and_(_whole.c.account == WHOLE_ADDRESS, _whole.c.address == bindparam("address"))),
    (*_USER, *_FAILURES),
    user_id=users.c.id,
)
_BY_TOKEN = _statement(
    _one.outerjoin(application_tokens, application_tokens.c.secret_hash == _shown_secret).outerjoin(
        users, users.c.id == application_tokens.c.user_id
    ),
    (*_USER, *_TOKEN),
    user_id=users.c.id,
)
_BY_ROBOT = _statement(
    _one.outerjoin(robot_secrets, robot_secrets.c.secret_hash == _shown_secret).outerjoin(
        robots, robots.c.id == robot_secrets.c.robot_id
    ),
    _ROBOT,
    robot_id=robots.c.id,
)
_BY_REFRESH_TOKEN = _statement(
    _one.outerjoin(refresh_tokens, refresh_tokens.c.token_hash == _shown_secret)
    .outerjoin(users, users.c.id == refresh_tokens.c.user_id)
    .outerjoin(application_tokens, application_tokens.c.id == refresh_tokens.c.application_token_id)
    .outerjoin(robots, robots.c.id == refresh_tokens.c.robot_id)
    .outerjoin(robot_secrets, robot_secrets.c.id == refresh_tokens.c.robot_secret_id),
    (*_USER, *_TOKEN, *_ROBOT, *_REFRESH),
    user_id=users.c.id,
    robot_id=robots.c.id,
)


def _user(row: Row[Any]) -> StoredUser | None:
    if row.id is None:
        return None
    return StoredUser(row.id, row.username, row.password_hash, row.administrator, row.auditor, row.enabled)


def _token(row: Row[Any]) -> StoredToken | None:
    if row.token_id is None:
        return None
    narrowing = load_narrowing(row.token_actions, row.token_namespaces)
    return StoredToken(row.token_id, row.token_name, narrowing, row.token_expires_at, row.token_last_used_at)


def load_narrowing(actions: str | None, names: Collection[str] | None) -> Narrowing | None:
    """Read what an application token is narrowed to."""
    if actions is None and names is None:
        return None
    return Narrowing(
        None if actions is None else load_actions(actions), None if names is None else frozenset(map(str, names))
    )


def _robot(row: Row[Any]) -> StoredRobot | None:
    if row.robot_id is None or row.robot_secret_id is None:
        return None
    return StoredRobot(
        row.robot_id,
        row.robot_username,
        RobotHome(row.robot_namespace_id, row.robot_team_id),
        row.robot_enabled,
        row.robot_expires_at,
        None if row.robot_addresses is None else tuple(row.robot_addresses),
        row.robot_secret_id,
        row.robot_secret_expires_at,
        row.robot_last_used_at,
    )


def _registry(row: Row[Any]) -> RegistryFacts | None:
    if row.registry_id is None:
        return None
    return RegistryFacts(
        row.registry_id,
        row.registry_service,
        row.registry_ttl_s,
        row.registry_push and PushPolicy(row.registry_push),
        row.registry_delete and DeletePolicy(row.registry_delete),
    )


def _failures(row: Row[Any]) -> FailureState:
    return FailureState(_counted(row.pair_count, row.pair_last_at), _counted(row.whole_count, row.whole_last_at))


def _counted(count: int | None, last_at: datetime | None) -> Failures:
    return Failures(count or 0, last_at)


def _namespaces(rows: Sequence[Row[Any]]) -> Namespaces:
    return {row.namespace_name: load_facts(row) for row in rows if row.namespace_name is not None}
