"""The one read of the token path: the caller, their recent failures, and the namespaces asked for.

A registry's client waits for this statement at every push and pull, so it is built once, brings all
that authentication and the decisions need, and nothing is written beside it.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, literal, select

from services.auth.domain.accounts import is_username, username_key
from services.auth.domain.namespaces import NamespaceFacts, Namespaces, Visibility
from services.auth.domain.teams import Role
from services.auth.domain.throttle import Failures, FailureState
from services.auth.storage.tables import login_failures, namespaces, team_members, users

WHOLE_ADDRESS = ""
"""Stands in for the account in the row that counts all failures of an address."""


@dataclass(frozen=True, slots=True)
class StoredUser:
    """What is kept about a person, as far as authentication needs it."""

    id: int
    username: str
    password_hash: str = field(repr=False)
    administrator: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class CallerRecord:
    """What the database knows about a caller and about what is asked."""

    user: StoredUser | None
    failures: FailureState
    namespaces: Namespaces


def account_hash(username: str) -> str:
    """Return how failures of a name are filed: people type passwords into name fields."""
    return hashlib.sha256(username_key(username).encode("utf-8", "surrogatepass")).hexdigest()


def find_caller(
    connection: Connection, username: str | None, address: str, namespace_names: Collection[str]
) -> CallerRecord:
    """Read everything that one token request needs.

    Args:
        username: as given by the caller; ``None`` for an anonymous one.
        address: what failures are counted under.
        namespace_names: first components of the repositories asked for.
    """
    rows = connection.execute(
        _STATEMENT,
        {
            "username_key": None if username is None else _searchable(username),
            "account": None if username is None else account_hash(username),
            "address": address,
            # An empty IN needs a statement of its own in the cache; this name cannot exist.
            "namespaces": list(namespace_names) or ["/"],
        },
    ).all()
    return CallerRecord(_user(rows[0]), _failures(rows[0]), _namespaces(rows))


def _searchable(username: str) -> str:
    # PostgreSQL cannot even be asked about a NUL or half a surrogate pair; no name is empty.
    return username_key(username) if is_username(username) else ""


# A row that is always there: each of the others may be missing.
_one = select(literal(1).label("one")).subquery("one")
_pair = login_failures.alias("pair")
_whole = login_failures.alias("whole")
_namespace_name = namespaces.c.name.label("namespace_name")

_STATEMENT: Select[Any] = select(
    users.c.id,
    users.c.username,
    users.c.password_hash,
    users.c.administrator,
    users.c.enabled,
    users.c.namespace_id.label("own_id"),
    _pair.c.failures.label("pair_count"),
    _pair.c.last_at.label("pair_last_at"),
    _whole.c.failures.label("whole_count"),
    _whole.c.last_at.label("whole_last_at"),
    namespaces.c.id.label("namespace_id"),
    _namespace_name,
    namespaces.c.visibility,
    team_members.c.role,
).select_from(
    _one.outerjoin(users, users.c.username_key == bindparam("username_key"))
    .outerjoin(_pair, and_(_pair.c.account == bindparam("account"), _pair.c.address == bindparam("address")))
    .outerjoin(_whole, and_(_whole.c.account == WHOLE_ADDRESS, _whole.c.address == bindparam("address")))
    .outerjoin(namespaces, namespaces.c.name.in_(bindparam("namespaces", expanding=True)))
    .outerjoin(team_members, and_(team_members.c.team_id == namespaces.c.team_id, team_members.c.user_id == users.c.id))
)


def _user(row: Row[Any]) -> StoredUser | None:
    if row.id is None:
        return None
    return StoredUser(row.id, row.username, row.password_hash, row.administrator, row.enabled)


def _failures(row: Row[Any]) -> FailureState:
    return FailureState(_counted(row.pair_count, row.pair_last_at), _counted(row.whole_count, row.whole_last_at))


def _counted(count: int | None, last_at: datetime | None) -> Failures:
    return Failures(count or 0, last_at)


def _namespaces(rows: Sequence[Row[Any]]) -> Namespaces:
    return {
        row.namespace_name: NamespaceFacts(
            row.namespace_name,
            Visibility(row.visibility),
            Role(row.role) if row.role else None,
            is_own=row.namespace_id == row.own_id,
        )
        for row in rows
        if row.namespace_name is not None
    }
