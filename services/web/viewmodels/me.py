"""Tokens, sessions and logins in words."""

from dataclasses import dataclass
from datetime import datetime

from services.web.clients.me import BrowserSession, Login, Token
from services.web.viewmodels.times import TimeText, present_moment, present_time


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An application token as the list shows it; empty strings: not narrowed."""

    id: int
    application: str
    actions: str
    namespaces: str
    until: TimeText | None
    expired: bool
    used: TimeText | None
    used_from: str | None
    created: TimeText | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in a browser."""

    id: str
    browser: str
    address: str
    current: bool
    since: TimeText | None
    used: TimeText | None


@dataclass(frozen=True, slots=True)
class LoginRow:
    """The login of a client of the registry."""

    id: int
    client: str
    address: str
    credential: str
    since: TimeText | None
    used: TimeText | None
    until: TimeText | None


def present_token(token: Token, now: datetime) -> TokenRow:
    """Turn a token into a row."""
    return TokenRow(
        id=token.id,
        application=token.application,
        actions=", ".join(token.actions or ()),
        namespaces=", ".join(token.namespaces or ()),
        until=present_moment(token.expires_at, now),
        expired=token.expired,
        used=present_time(token.last_used_at, now),
        used_from=token.last_used_address,
        created=present_time(token.created_at, now),
    )


def present_session(session: BrowserSession, now: datetime) -> SessionRow:
    """Turn a session into a row."""
    return SessionRow(
        id=session.id,
        browser=session.user_agent,
        address=session.address,
        current=session.current,
        since=present_time(session.created_at, now),
        used=present_time(session.last_used_at, now),
    )


def present_login(login: Login, now: datetime) -> LoginRow:
    """Turn a login into a row."""
    return LoginRow(
        id=login.id,
        client=login.client_id,
        address=login.address,
        credential=login.credential,
        since=present_time(login.created_at, now),
        used=present_time(login.last_used_at, now),
        until=present_moment(login.expires_at, now),
    )
