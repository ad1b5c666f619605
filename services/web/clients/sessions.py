"""Who is at the browser: a refresh token becomes a visitor with a valid access token.

Access tokens live in this process's memory only, never in a cookie. The cache is keyed by a hash,
so that the memory of the process holds no second copy of a refresh token.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from services.web.clients.auth import AuthClient, Person, Session
from shared.clock import Clock
from shared.config import Secret

EXPIRY_MARGIN_S = 20
"""A token is renewed this long before it expires, so that it outlives the page it is used for."""

DEFAULT_CAPACITY = 10_000
"""Sessions remembered per process; beyond it the longest unused one is asked for again."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is looking; both are ``None`` for somebody who is not signed in."""

    access_token: Secret | None = None
    person: Person | None = None


ANONYMOUS = Visitor()


@dataclass(frozen=True, slots=True)
class _Entry:
    visitor: Visitor
    valid_until: datetime


class Sessions:
    """Turns refresh tokens into visitors.

    Args:
        auth: gives access tokens for refresh tokens.
        clock: the present moment.
        capacity: most sessions kept in memory.
    """

    def __init__(self, auth: AuthClient, clock: Clock, *, capacity: int = DEFAULT_CAPACITY) -> None:
        self._auth = auth
        self._clock = clock
        self._capacity = capacity
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._lock = Lock()

    def find_visitor(self, refresh_token: Secret) -> Visitor | None:
        """Return who holds a refresh token; ``None`` when the session is over.

        Raises:
            PeerAway: `auth` had to be asked and does not answer.
        """
        known = self.find_known(refresh_token)
        if known:
            return known
        session = self._auth.refresh(refresh_token)
        if session is None:
            self.forget(refresh_token)
            return None
        return self.remember(session, refresh_token)

    def find_known(self, refresh_token: Secret) -> Visitor | None:
        """Return who holds a refresh token if that is known without asking."""
        key = _key(refresh_token)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.valid_until <= self._clock():
                return None
            self._entries.move_to_end(key)
            return entry.visitor

    def remember(self, session: Session, refresh_token: Secret) -> Visitor:
        """Keep a session's access token until shortly before it expires."""
        visitor = Visitor(session.access_token, session.person)
        lifetime = timedelta(seconds=max(0, session.expires_in_s - EXPIRY_MARGIN_S))
        with self._lock:
            self._entries[_key(refresh_token)] = _Entry(visitor, self._clock() + lifetime)
            self._entries.move_to_end(_key(refresh_token))
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        return visitor

    def forget(self, refresh_token: Secret) -> None:
        """Drop what is remembered of a session."""
        with self._lock:
            self._entries.pop(_key(refresh_token), None)

    def __len__(self) -> int:
        return len(self._entries)


def _key(refresh_token: Secret) -> bytes:
    return hashlib.sha256(refresh_token.reveal().encode("utf-8", "surrogateescape")).digest()
