"""Application tokens, as their owners and administrators look after them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select

from services.auth.domain.grants import dump_actions, load_actions
from services.auth.domain.lifetimes import is_past
from services.auth.storage.lifetimes import has_ended
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import application_tokens, users
from services.auth.storage.users import UserRef
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

TOKENS = Listing(
    {
        "id": Listed(application_tokens.c.id),
        "application": Listed(application_tokens.c.name),
        "created_by": Listed(application_tokens.c.created_by),
        "expires_at": Listed(application_tokens.c.expires_at),
        "expired": Listed(has_ended(application_tokens.c.expires_at)),
        "last_used_at": Listed(application_tokens.c.last_used_at),
        "last_used_address": Listed(application_tokens.c.last_used_address),
        "created_at": Listed(application_tokens.c.created_at),
    },
    search=[application_tokens.c.name],
)
"""What the list of a person's tokens is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class TokenView:
    """An application token as the API shows it; never with its secret."""

    id: int
    user: UserRef
    """Whose it is."""
    name: str
    actions: frozenset[str] | None
    """What is left of the owner's rights; ``None`` leaves them whole, likewise for the namespaces."""
    namespaces: frozenset[str] | None
    created_by: str
    expires_at: datetime | None
    expired: bool
    last_used_at: datetime | None
    last_used_address: str | None
    created_at: datetime


def insert_token(
    connection: Connection,
    *,
    user_id: int,
    name: str,
    secret_hash: str,
    actions: frozenset[str] | None,
    namespaces: frozenset[str] | None,
    created_by: str,
    expires_at: datetime | None,
    now: datetime,
) -> int:
    """Insert an application token and return its id."""
    whose = {"user_id": user_id, "name": name, "secret_hash": secret_hash, "created_by": created_by}
    narrowing = {
        "actions": None if actions is None else dump_actions(actions),
        "namespaces": None if namespaces is None else sorted(namespaces),
    }
    times = {"expires_at": expires_at, "created_at": now}
    return insert_row(connection, application_tokens, {**whose, **narrowing, **times})


def delete_token(connection: Connection, token_id: int) -> None:
    """Delete an application token, and the logins that were made with it."""
    connection.execute(delete(application_tokens).where(application_tokens.c.id == token_id))


def find_token(connection: Connection, token_id: int, *, now: datetime) -> TokenView | None:
    """Return an application token, ended or not."""
    row = connection.execute(_view().where(application_tokens.c.id == token_id)).one_or_none()
    return _load(row, now) if row else None


def list_tokens(connection: Connection, user_id: int, request: ListRequest, *, now: datetime) -> Page[TokenView]:
    """Return a page of a person's tokens, ended or not."""
    statement = _view().where(application_tokens.c.user_id == user_id)
    return fetch_list(connection, statement, TOKENS, request, load=lambda row: _load(row, now), parameters={"now": now})


def token_names(connection: Connection, user_id: int) -> set[str]:
    """Return the names of all of a person's tokens, ended or not."""
    names = select(application_tokens.c.name).where(application_tokens.c.user_id == user_id)
    return set(connection.execute(names).scalars())


def _view() -> Select[Any]:
    columns = (column for column in application_tokens.c if column.name != "secret_hash")
    return select(*columns, users.c.username).join(users, users.c.id == application_tokens.c.user_id)


def _load(row: Row[Any], now: datetime) -> TokenView:
    return TokenView(
        id=row.id,
        user=UserRef(row.user_id, row.username),
        name=row.name,
        actions=None if row.actions is None else load_actions(row.actions),
        namespaces=None if row.namespaces is None else frozenset(row.namespaces),
        created_by=row.created_by,
        expires_at=row.expires_at,
        expired=is_past(row.expires_at, now),
        last_used_at=row.last_used_at,
        last_used_address=row.last_used_address,
        created_at=row.created_at,
    )
