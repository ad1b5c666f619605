"""What has been checked in the last minute, so that one ``docker push`` costs one slow hash.

Kept in the process's memory only. No password is kept, and no hash that outlives the process: an
entry holds a keyed hash under a key made at start, over the password and over what the database says of
the account at this moment. So a changed password or a disabled account makes an entry worthless at
once, without anybody clearing it.
"""

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.config import Secret

LIFETIME = timedelta(seconds=60)
MAX_MISSES = 10
"""After so many other passwords a right one is forgotten: a neighbour behind the same address, who
is being slowed down, must not use the memory to guess quickly."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One password shown for one account from one address."""

    place: tuple[str, str]
    """Account and address."""
    proof: bytes


@dataclass(slots=True)
class _Entry:
    proof: bytes
    until: datetime
    misses: int = 0


class PasswordMemory:
    """Remembers the last right and the last wrong password of each account and address.

    Args:
        max_entries: most places kept; beyond it the oldest is hashed again.
    """

    def __init__(self, clock: Clock, *, max_entries: int = 10_000) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._entries: dict[bool, OrderedDict[tuple[str, str], _Entry]] = {True: OrderedDict(), False: OrderedDict()}

    def attempt(self, account: str, address: str, *, state: str, password: Secret) -> Attempt:
        """Describe an attempt.

        Args:
            state: all that the answer depends on besides the password.
        """
        message = b"\0".join(part.encode("utf-8", "surrogatepass") for part in (account, state, password.reveal()))
        return Attempt((account, address), hashlib.blake2b(message, key=self._key, digest_size=32).digest())

    def recall(self, attempt: Attempt) -> bool | None:
        """Return how the same attempt ended within the last minute; ``None`` if it is not known."""
        with self._lock:
            for outcome, entries in self._entries.items():
                entry = entries.get(attempt.place)
                if entry and self._is(entry, attempt):
                    return outcome
            return None

    def remember(self, attempt: Attempt, *, outcome: bool) -> None:
        """Remember how an attempt ended."""
        entries = self._entries[outcome]
        with self._lock:
            entries[attempt.place] = _Entry(attempt.proof, self._clock() + LIFETIME)
            entries.move_to_end(attempt.place)
            if len(entries) > self._max_entries:
                entries.popitem(last=False)

    def note_miss(self, attempt: Attempt) -> None:
        """Count a password that was refused unseen against the right one that is remembered."""
        right = self._entries[True]
        with self._lock:
            entry = right.get(attempt.place)
            if entry is None:
                return
            entry.misses += 1
            if entry.misses >= MAX_MISSES:
                del right[attempt.place]

    def _is(self, entry: _Entry, attempt: Attempt) -> bool:
        return self._clock() < entry.until and hmac.compare_digest(entry.proof, attempt.proof)
