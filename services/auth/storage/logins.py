"""Logins to a registry that last: refresh tokens, by what they were got with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, delete, literal, select

from services.auth.storage.rows import insert_row
from services.auth.storage.tables import application_tokens, refresh_tokens, registries, robots, users
from services.auth.storage.users import UserRef
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

_columns = refresh_tokens.c
_CREDENTIAL = case((_columns.application_token_id.is_(None), literal("password")), else_=literal("application token"))

LOGINS = Listing(
    {
        "id": Listed(_columns.id),
        "credential": Listed(_CREDENTIAL.label("credential")),
        "client_id": Listed(_columns.client_id),
        "address": Listed(_columns.address),
        "created_at": Listed(_columns.created_at),
        "last_used_at": Listed(_columns.last_used_at),
        "expires_at": Listed(_columns.expires_at),
    }
)
"""What the list of a person's logins is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class NewLogin:
    """A login to be kept; it is a person's or a robot's."""

    token_hash: str
    registry_id: int
    user_id: int | None
    robot_id: int | None
    application_token_id: int | None
    robot_secret_id: int | None
    client_id: str
    address: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LoginView:
    """A login as the API shows it; never with its token."""

    id: int
    user: UserRef
    service: str
    """Of the registry; empty for the first one."""
    credential: str
    """With what it was got: a password, or an application token."""
    application: str | None
    """Name of the application token."""
    client_id: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


def lock_owner(connection: Connection, login: NewLogin) -> tuple[bool, datetime] | None:
    """Return whether a login's owner is enabled and when it was last changed; nobody changes it until the end."""
    owners, id = (users, login.user_id) if login.user_id is not None else (robots, login.robot_id)
    statement = select(owners.c.enabled, owners.c.updated_at).where(owners.c.id == id).with_for_update(read=True)
    row = connection.execute(statement).one_or_none()
    return (row.enabled, row.updated_at) if row else None


def insert_login(connection: Connection, login: NewLogin, *, now: datetime) -> None:
    """Insert a login; texts are cut at what the columns hold."""
    row = {name: getattr(login, name) for name in NewLogin.__slots__}
    cut = {"client_id": login.client_id[:64], "address": login.address[:64]}
    insert_row(connection, refresh_tokens, {**row, **cut, "created_at": now, "last_used_at": now})


def delete_oldest_logins(connection: Connection, login: NewLogin, *, keep: int) -> None:
    """Delete all logins of one owner but the most recently used ones."""
    newest_first = (
        select(_columns.id).where(_is_owner(login)).order_by(_columns.last_used_at.desc(), _columns.id.desc())
    )
    connection.execute(delete(refresh_tokens).where(_columns.id.in_(newest_first.offset(keep).limit(keep))))


def delete_logins_of(connection: Connection, user_id: int) -> None:
    """Delete all logins of a person, whatever they were got with."""
    connection.execute(delete(refresh_tokens).where(_columns.user_id == user_id))


def delete_logins_of_robot(connection: Connection, robot_id: int) -> None:
    """Delete all logins of a robot."""
    connection.execute(delete(refresh_tokens).where(_columns.robot_id == robot_id))


def delete_login(connection: Connection, login_id: int) -> None:
    """Delete one login."""
    connection.execute(delete(refresh_tokens).where(_columns.id == login_id))


def purge_logins(connection: Connection, *, now: datetime, limit: int = 10_000) -> int:
    """Delete logins that have ended; return how many there were."""
    ended = select(_columns.id).where(_columns.expires_at <= now).limit(limit)
    return connection.execute(delete(refresh_tokens).where(_columns.id.in_(ended))).rowcount


def find_login(connection: Connection, login_id: int) -> LoginView | None:
    """Return a person's login."""
    row = connection.execute(_view().where(_columns.id == login_id)).one_or_none()
    return _load(row) if row else None


def list_logins(connection: Connection, user_id: int, request: ListRequest, *, now: datetime) -> Page[LoginView]:
    """Return a page of a person's logins that have not ended."""
    statement = _view().where(_columns.user_id == user_id, _columns.expires_at > now)
    return fetch_list(connection, statement, LOGINS, request, load=_load)


def _is_owner(login: NewLogin) -> ColumnElement[bool]:
    if login.user_id is not None:
        return _columns.user_id == login.user_id
    return _columns.robot_id == login.robot_id


def _view() -> Select[Any]:
    return (
        select(
            _columns.id,
            _columns.user_id,
            users.c.username,
            registries.c.service,
            _CREDENTIAL.label("credential"),
            application_tokens.c.name.label("application"),
            _columns.client_id,
            _columns.address,
            _columns.created_at,
            _columns.last_used_at,
            _columns.expires_at,
        )
        .select_from(refresh_tokens)
        .join(users, users.c.id == _columns.user_id)
        .join(registries, registries.c.id == _columns.registry_id)
        .outerjoin(application_tokens, application_tokens.c.id == _columns.application_token_id)
    )


def _load(row: Row[Any]) -> LoginView:
    return LoginView(
        id=row.id,
        user=UserRef(row.user_id, row.username),
        service=row.service,
        credential=row.credential,
        application=row.application,
        client_id=row.client_id,
        address=row.address,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
