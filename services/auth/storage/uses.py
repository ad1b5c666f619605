"""When and from where a credential was used last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, or_, update

from services.auth.storage.tables import application_tokens, refresh_tokens, robot_secrets, robots

MAX_ADDRESS_LENGTH = 64


@dataclass(frozen=True, slots=True)
class LastUse:
    """The last known use of what is called by the id."""

    id: int
    at: datetime
    address: str


def note_token_uses(connection: Connection, uses: Iterable[LastUse]) -> None:
    """Note uses of application tokens; a later one that is known already stays."""
    _note(connection, application_tokens, uses)


def note_robot_uses(connection: Connection, uses: Iterable[LastUse]) -> None:
    """Note uses of robots."""
    _note(connection, robots, uses)


def note_secret_uses(connection: Connection, uses: Iterable[LastUse]) -> None:
    """Note uses of robots' secrets."""
    _note(connection, robot_secrets, uses)


def note_refresh_token_uses(connection: Connection, uses: Iterable[LastUse], *, ttl: timedelta) -> None:
    """Note uses of refresh tokens, which live on from there."""
    _note(connection, refresh_tokens, uses, ttl=ttl)


def _note(connection: Connection, table: Table, uses: Iterable[LastUse], *, ttl: timedelta | None = None) -> None:
    # Several processes note at once: the rows are locked in one order.
    rows = [
        {
            "used_id": use.id,
            "used_at": use.at,
            "used_address": use.address[:MAX_ADDRESS_LENGTH],
            "used_until": ttl and use.at + ttl,
        }
        for use in sorted(uses, key=lambda use: use.id)
    ]
    if not rows:
        return
    at = bindparam("used_at", type_=table.c.last_used_at.type)
    columns: dict[str, BindParameter[Any]] = {"last_used_at": at}
    if "last_used_address" in table.c:
        columns["last_used_address"] = bindparam("used_address")
    if ttl is not None:
        columns["expires_at"] = bindparam("used_until", type_=table.c.expires_at.type)
    is_later = or_(table.c.last_used_at.is_(None), table.c.last_used_at < at)
    connection.execute(update(table).where(table.c.id == bindparam("used_id"), is_later).values(columns), rows)
