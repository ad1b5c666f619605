"""People's accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from services.auth.domain.accounts import username_key
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import namespaces, users
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

USERS = Listing(
    {
        "id": Listed(users.c.id),
        "username": Listed(users.c.username_key, fold=username_key),
        "email": Listed(users.c.email_key, fold=str.lower),
        "display_name": Listed(users.c.display_name),
        "admin": Listed(users.c.administrator),
        "auditor": Listed(users.c.auditor),
        "bot": Listed(users.c.bot),
        "enabled": Listed(users.c.enabled),
        "namespace_id": Listed(users.c.namespace_id),
        "current_sign_in_at": Listed(users.c.current_sign_in_at),
        "last_sign_in_at": Listed(users.c.last_sign_in_at),
        "created_at": Listed(users.c.created_at),
        "updated_at": Listed(users.c.updated_at),
    },
    search=[users.c.username, users.c.email, users.c.display_name],
)
"""What the list of accounts is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class NamespaceRef:
    """A namespace, as far as others mention it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class UserRef:
    """A person, as far as others mention them."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class UserView:
    """An account as the API shows it."""

    id: int
    username: str
    email: str | None
    display_name: str | None
    admin: bool
    auditor: bool
    bot: bool
    enabled: bool
    namespace: NamespaceRef | None
    """The personal one; a bot has none."""
    current_sign_in_at: datetime | None
    last_sign_in_at: datetime | None
    created_at: datetime
    updated_at: datetime


def insert_user(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> int:
    """Insert an account and return its id.

    Args:
        values: ``username``, ``email``, ``display_name``, ``password_hash``, ``administrator``,
            ``namespace_id``; and ``auditor``, ``bot``, where they are set.
    """
    email = values["email"]
    keys = {"username_key": username_key(values["username"]), "email_key": email and email.lower()}
    row = {"auditor": False, "bot": False, **values, **keys, "enabled": True, "created_at": now, "updated_at": now}
    return insert_row(connection, users, row)


def update_user(connection: Connection, user_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of an account."""
    keys = {"email_key": values["email"] and values["email"].lower()} if "email" in values else {}
    connection.execute(update(users).where(users.c.id == user_id).values({**values, **keys, "updated_at": now}))


def note_sign_in(connection: Connection, user_id: int, *, now: datetime) -> None:
    """Note when a person signed in; that the account was changed is not said."""
    moments = {"last_sign_in_at": users.c.current_sign_in_at, "current_sign_in_at": now}
    connection.execute(update(users).where(users.c.id == user_id).values(moments))


def find_user(connection: Connection, user_id: int) -> UserView | None:
    """Return one account."""
    row = connection.execute(_view().where(users.c.id == user_id)).one_or_none()
    return _load(row) if row else None


def find_user_named(connection: Connection, username: str) -> UserView | None:
    """Return the account of that name, in whatever case it is written."""
    row = connection.execute(_view().where(users.c.username_key == username_key(username))).one_or_none()
    return _load(row) if row else None


def find_user_with_email(connection: Connection, email: str) -> UserView | None:
    """Return the account of that e-mail address, in whatever case it is written."""
    row = connection.execute(_view().where(users.c.email_key == email.lower())).one_or_none()
    return _load(row) if row else None


def list_users(connection: Connection, request: ListRequest) -> Page[UserView]:
    """Return a page of all accounts."""
    return fetch_list(connection, _view(), USERS, request, load=_load)


def people_exist(connection: Connection) -> bool:
    """Tell whether anybody has an account."""
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def find_clashes(
    connection: Connection, *, username: str | None, email: str | None, but: int | None = None
) -> set[str]:
    """Return which of ``username`` and ``email`` another account has.

    Args:
        but: id of the account that does not count.
    """
    others = users.c.id != but if but is not None else users.c.id.is_not(None)
    clashes = set()
    wanted = {
        "username": (users.c.username_key, username and username_key(username)),
        "email": (users.c.email_key, email and email.lower()),
    }
    for field, (column, value) in wanted.items():
        if value and connection.execute(select(users.c.id).where(column == value, others)).first():
            clashes.add(field)
    return clashes


def count_other_administrators(connection: Connection, user_id: int) -> int:
    """Count the enabled administrators besides one account."""
    others = select(func.count()).where(users.c.administrator, users.c.enabled, users.c.id != user_id)
    return connection.execute(others).scalar_one()


def _view() -> Select[Any]:
    return select(
        users.c.id,
        users.c.username,
        users.c.email,
        users.c.display_name,
        users.c.administrator.label("admin"),
        users.c.auditor,
        users.c.bot,
        users.c.enabled,
        users.c.current_sign_in_at,
        users.c.last_sign_in_at,
        users.c.created_at,
        users.c.updated_at,
        namespaces.c.id.label("namespace_id"),
        namespaces.c.name.label("namespace_name"),
    ).outerjoin(namespaces, namespaces.c.id == users.c.namespace_id)


def _load(row: Row[Any]) -> UserView:
    values = dict(row._mapping)
    namespace_id, name = values.pop("namespace_id"), values.pop("namespace_name")
    return UserView(**values, namespace=None if namespace_id is None else NamespaceRef(namespace_id, name))
