"""Sessions: one row as long as its refresh token is good."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, true, update

from services.auth.storage.tables import sessions, users
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

SESSIONS = Listing(
    {
        "id": Listed(sessions.c.id),
        "address": Listed(sessions.c.address),
        "user_agent": Listed(sessions.c.user_agent),
        "created_at": Listed(sessions.c.created_at),
        "last_used_at": Listed(sessions.c.last_used_at),
    }
)
"""What the list of one's sessions is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session that has neither ended nor been revoked, and whose it is."""

    id: str
    user_id: int
    username: str
    administrator: bool
    auditor: bool
    enabled: bool
    last_used_at: datetime
    expires_at: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its person sees it."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    current: bool
    """Whether it is the one that asks."""


def insert_session(
    connection: Connection,
    *,
    id: str,
    user_id: int,
    token_hash: str,
    address: str,
    user_agent: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Insert a session; ``address`` and ``user_agent`` are cut at what the columns hold."""
    row = {"id": id, "user_id": user_id, "token_hash": token_hash, "created_at": now, "last_used_at": now}
    origin = {"address": address[:64], "user_agent": user_agent[:255]}
    connection.execute(insert(sessions).values({**row, **origin, "expires_at": expires_at}))


def find_session(connection: Connection, session_id: str, *, now: datetime) -> SessionRecord | None:
    """Return a session by its id."""
    return _find(connection, sessions.c.id == session_id, now)


def find_session_by_token(connection: Connection, token_hash: str, *, now: datetime) -> SessionRecord | None:
    """Return a session by the hash of its refresh token."""
    return _find(connection, sessions.c.token_hash == token_hash, now)


def list_sessions(
    connection: Connection, user_id: int, request: ListRequest, *, current: str, now: datetime
) -> Page[SessionView]:
    """Return a page of a person's sessions that have not ended.

    Args:
        current: id of the one that asks; empty when none does.
    """
    shown = (sessions.c.id, sessions.c.address, sessions.c.user_agent, sessions.c.created_at, sessions.c.last_used_at)
    statement = select(*shown).where(sessions.c.user_id == user_id, sessions.c.expires_at > now)

    def load(row: Row[Any]) -> SessionView:
        return SessionView(row.id, row.address, row.user_agent, row.created_at, row.last_used_at, row.id == current)

    return fetch_list(connection, statement, SESSIONS, request, load=load)


def touch_session(connection: Connection, session_id: str, *, now: datetime, expires_at: datetime) -> None:
    """Note that a session has been used."""
    change = update(sessions).where(sessions.c.id == session_id)
    connection.execute(change.values(last_used_at=now, expires_at=expires_at))


def delete_session(connection: Connection, token_hash: str) -> bool:
    """Revoke the session of a refresh token; tell whether there was one."""
    return connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash)).rowcount > 0


def delete_sessions_of(
    connection: Connection, user_id: int, *, only: str | None = None, but: str | None = None
) -> list[str]:
    """Revoke sessions of a person and return their ids.

    Args:
        only: id of the one that is meant; ``None``: all.
        but: id of the one that stays.
    """
    meant = sessions.c.id == only if only is not None else true()
    leaves = sessions.c.id != but if but is not None else true()
    found = select(sessions.c.id).where(sessions.c.user_id == user_id, meant, leaves).order_by(sessions.c.id)
    ids = list(connection.execute(found.with_for_update()).scalars())
    connection.execute(delete(sessions).where(sessions.c.id.in_(ids)))
    return ids


def delete_oldest_sessions(connection: Connection, user_id: int, *, keep: int) -> None:
    """Revoke all sessions of a person but the most recently used ones."""
    newest_first = select(sessions.c.id).where(sessions.c.user_id == user_id).order_by(sessions.c.last_used_at.desc())
    connection.execute(delete(sessions).where(sessions.c.id.in_(newest_first.offset(keep))))


def purge_sessions(connection: Connection, *, now: datetime, limit: int = 10_000) -> int:
    """Delete sessions that have ended; return how many there were."""
    ended = select(sessions.c.id).where(sessions.c.expires_at <= now).limit(limit)
    return connection.execute(delete(sessions).where(sessions.c.id.in_(ended))).rowcount


def _find(connection: Connection, matches: object, now: datetime) -> SessionRecord | None:
    statement = (
        select(
            sessions.c.id,
            sessions.c.user_id,
            users.c.username,
            users.c.administrator,
            users.c.auditor,
            users.c.enabled,
            sessions.c.last_used_at,
            sessions.c.expires_at,
        )
        .join(users, users.c.id == sessions.c.user_id)
        .where(matches, sessions.c.expires_at > now)  # type: ignore[arg-type]
    )
    row = connection.execute(statement).one_or_none()
    return SessionRecord(*row) if row else None
