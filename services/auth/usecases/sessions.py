"""Sessions: a person signs in, stays signed in, signs out.

The refresh token is a random secret that does not change while its session lives: clients and the
portal's other windows may use it at the same moment. It ends by time, by sign-out, by disabling the
person or by a new password.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from services.auth.domain.actors import Actor, Origin
from services.auth.domain.audit import Action, Change, Ref, Target
from services.auth.domain.errors import BadCredentials
from services.auth.domain.subjects import Subject, person
from services.auth.storage.sessions import (
    SessionRecord,
    delete_oldest_sessions,
    delete_session,
    find_session,
    find_session_by_token,
    insert_session,
    touch_session,
)
from services.auth.storage.users import UserView, find_user, note_sign_in
from services.auth.usecases.audit import audited
from services.auth.usecases.authenticate import Authenticator, CredentialKind, PasswordCredentials
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database

REFRESH_TOKEN_PREFIX = "portus_rt_"  # noqa: S105 - a prefix by which scanners find leaked tokens
TOUCHED_AFTER = timedelta(minutes=1)
MAX_SESSIONS = 100
"""Most sessions that a person has at a time; the longest unused one makes room."""

_OVER = "The session is over. Sign in again."


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token for our APIs and how long it is good."""

    token: Secret = field(repr=False)
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client keeps of a session."""

    access_token: AccessToken
    refresh_token: Secret
    user: UserView


IssueAccessToken = Callable[[str, str], AccessToken]
"""(username, session id) → token."""


@dataclass(frozen=True, slots=True)
class SessionKeeper:
    """What the use cases of sessions need."""

    database: Database
    clock: Clock
    issue_access_token: IssueAccessToken
    ttl: timedelta
    """Life of a session without use."""


def sign_in(
    credentials: PasswordCredentials,
    *,
    origin: Origin,
    user_agent: str,
    authenticator: Authenticator,
    keeper: SessionKeeper,
) -> SignedIn:
    """Open a session for a person.

    Args:
        user_agent: what the person's browser says that it is.

    Raises:
        BadCredentials: wrong password; or the internal account, which is no person.
        TooManyAttempts: too many wrong passwords came before.
    """
    caller = authenticator.authenticate(credentials, address=origin.address)
    subject = caller.subject
    # An application token is no way into the portal: it may be narrower than a session.
    if subject.user_id is None or caller.credential.kind is not CredentialKind.PASSWORD:
        raise BadCredentials
    session_id, refresh_token = secrets.token_hex(16), Secret(REFRESH_TOKEN_PREFIX + secrets.token_urlsafe(32))
    now = keeper.clock()
    with keeper.database.write() as connection, audited(connection, Actor(subject, origin), keeper.clock) as record:
        note_sign_in(connection, subject.user_id, now=now)
        user = find_user(connection, subject.user_id)
        # The person may have been disabled since the password was checked.
        if user is None or not user.enabled:
            raise BadCredentials
        insert_session(
            connection,
            id=session_id,
            user_id=user.id,
            token_hash=_hash(refresh_token),
            address=origin.address,
            user_agent=user_agent,
            now=now,
            expires_at=now + keeper.ttl,
        )
        delete_oldest_sessions(connection, user.id, keep=MAX_SESSIONS)
        person_ref = Ref(user.id, user.username)
        record(Change(Action.SESSION_OPENED, Target(session_id, user.username), user=person_ref))
    return SignedIn(keeper.issue_access_token(user.username, session_id), refresh_token, user)


def refresh_session(refresh_token: Secret, *, keeper: SessionKeeper) -> SignedIn:
    """Give a new access token for a session that is still good.

    Raises:
        BadCredentials: the session is over, or its person is disabled.
    """
    now = keeper.clock()
    with keeper.database.read() as connection:
        session = _usable(find_session_by_token(connection, _hash(refresh_token), now=now))
        user = find_user(connection, session.user_id)
    if user is None:
        raise BadCredentials(_OVER)
    if now - session.last_used_at >= TOUCHED_AFTER:
        with keeper.database.write() as connection:
            touch_session(connection, session.id, now=now, expires_at=now + keeper.ttl)
    return SignedIn(keeper.issue_access_token(user.username, session.id), refresh_token, user)


def revoke_session(refresh_token: Secret, *, origin: Origin, keeper: SessionKeeper) -> None:
    """End a session; one that does not exist is as good.

    Source: RFC 7009 §2.2.
    """
    token_hash = _hash(refresh_token)
    with keeper.database.read() as connection:
        session = find_session_by_token(connection, token_hash, now=keeper.clock())
    if session is None:
        return
    holder = Actor(_person(session), origin)
    with keeper.database.write() as connection, audited(connection, holder, keeper.clock) as record:
        # Somebody else may have ended it by now.
        if delete_session(connection, token_hash):
            user = Ref(session.user_id, session.username)
            record(Change(Action.SESSION_REVOKED, Target(session.id, session.username), user=user))


def resume_session(session_id: str, *, keeper: SessionKeeper) -> Subject:
    """Return who an access token speaks for, as the database sees them now.

    Raises:
        BadCredentials: the session has been revoked, or its person disabled.
    """
    with keeper.database.read() as connection:
        session = _usable(find_session(connection, session_id, now=keeper.clock()))
    return _person(session)


def _usable(session: SessionRecord | None) -> SessionRecord:
    if session is None or not session.enabled:
        raise BadCredentials(_OVER)
    return session


def _person(session: SessionRecord) -> Subject:
    return person(session.user_id, session.username, administrator=session.administrator, auditor=session.auditor)


def _hash(refresh_token: Secret) -> str:
    return hashlib.sha256(refresh_token.reveal().encode("utf-8", "surrogatepass")).hexdigest()
