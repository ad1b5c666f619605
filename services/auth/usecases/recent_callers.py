"""Who was verified in the last minute, so that a short outage of the database stops no push half-way.

Kept in the process's memory only, and off where the operator wants it so. No credential is kept: an
entry is found by a keyed hash, under a key made at start, over everything that was shown and from where. It
holds what the database said of the caller and of the namespaces asked for, so that the same rule
decides as ever. An account that is disabled during an outage keeps its rights for as long as the
operator has settled, and no longer.
"""

import hashlib
import secrets
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.auth.domain.access import namespaces_of
from services.auth.domain.accounts import username_key
from services.auth.domain.namespaces import NamespaceFacts
from services.auth.usecases.authenticate import Caller, Credentials, PasswordCredentials
from shared.clock import Clock
from shared.oci.scopes import Scope

FRESH_FOR = timedelta(minutes=1)
"""How long before an outage something must have been read to be believed during it."""
MAX_CALLERS = 10_000
"""Most callers remembered; beyond it the one that came first is forgotten."""
MAX_NAMESPACES = 100
"""Most namespaces remembered of one caller."""
MAX_MISSES = 10
"""After so many credentials that nobody showed before the outage, a name is not believed from an address any more:
there is no database in which wrong passwords could be counted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a token request shows and asks, as far as it decides who may be believed."""

    credentials: Credentials | None
    address: str
    service: str | None
    scopes: tuple[Scope, ...]


@dataclass(slots=True)
class _Entry:
    caller: Caller
    verified_at: datetime
    facts: dict[str, tuple[NamespaceFacts | None, datetime]]
    """By name: what was read and when; ``None``: there is no such namespace."""


class RecentCallers:
    """Remembers callers for the length of an outage.

    Args:
        grace: how long after its beginning tokens are still issued; zero: not at all.
    """

    def __init__(self, clock: Clock, *, grace: timedelta) -> None:
        self._clock = clock
        self._grace = grace
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._misses: Counter[bytes] = Counter()
        self._away_since: datetime | None = None

    def remember(self, shown: Shown, caller: Caller) -> None:
        """Remember a caller whom the database has just vouched for; anonymous ones show nothing to know them by."""
        if not self._grace or shown.credentials is None:
            return
        now, mark = self._clock(), self._mark(shown)
        read = {name: (caller.namespaces.get(name), now) for name in namespaces_of(shown.scopes)}
        with self._lock:
            self._away_since = None
            self._misses.clear()
            known = self._entries.pop(mark, None)
            facts = {**(known.facts if known else {}), **read}
            kept = dict(list(facts.items())[-MAX_NAMESPACES:])
            self._entries[mark] = _Entry(replace(caller, namespaces={}), now, kept)
            if len(self._entries) > MAX_CALLERS:
                self._entries.popitem(last=False)

    def recall(self, shown: Shown) -> Caller | None:
        """Return a caller while the database is away, or ``None`` when nobody vouches for them any more."""
        if not self._grace or shown.credentials is None:
            return None
        now, place = self._clock(), self._place(shown)
        with self._lock:
            self._away_since = since = self._away_since or now
            entry = self._entries.get(self._mark(shown)) if self._misses[place] < MAX_MISSES else None
            if entry is None:
                self._note_miss(place)
        if entry is None or now - since >= self._grace or entry.verified_at < since - FRESH_FOR:
            return None
        if entry.caller.ends_at is not None and entry.caller.ends_at <= now:
            return None
        wanted = namespaces_of(shown.scopes)
        facts = {name: entry.facts[name] for name in wanted if name in entry.facts}
        if len(facts) < len(wanted) or any(read_at < since - FRESH_FOR for _facts, read_at in facts.values()):
            return None
        known = {name: found for name, (found, _read_at) in facts.items() if found is not None}
        return replace(entry.caller, namespaces=known, degraded=True)

    def _note_miss(self, place: bytes) -> None:
        if len(self._misses) >= MAX_CALLERS:
            # More than any office: whoever comes with so many names is not believed for long.
            self._entries.clear()
            self._misses.clear()
        self._misses[place] += 1

    def _place(self, shown: Shown) -> bytes:
        """Return what stands for a name from an address."""
        given = shown.credentials
        name = username_key(given.username) if isinstance(given, PasswordCredentials) else ""
        return self._hash(name, shown.address)

    def _mark(self, shown: Shown) -> bytes:
        """Return what stands for everything that was shown."""
        given = shown.credentials
        if isinstance(given, PasswordCredentials):
            parts = ["password", given.username, given.password.reveal()]
        else:
            parts = ["refresh", "", given.token.reveal() if given else ""]
        return self._hash(*parts, shown.address, shown.service or "")

    def _hash(self, *parts: str) -> bytes:
        message = b"\0".join(part.encode("utf-8", "surrogatepass") for part in parts)
        return hashlib.blake2b(message, key=self._key, digest_size=32).digest()
