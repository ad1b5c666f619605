"""Passwords: hashed slowly, checked a few at a time.

Source: OWASP Password Storage Cheat Sheet (argon2id, m=19 MiB, t=2, p=1).
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.auth.domain.errors import Overloaded
from shared.config import Secret


class Passwords:
    """Hashes and checks passwords.

    Args:
        hasher: does the work; a check costs about 20 ms of CPU and 19 MiB.
        slots: how many may be hashed at once; more would only make all of them slow.
        wait_s: how long one waits for a slot.
    """

    def __init__(self, hasher: PasswordHasher, *, slots: int = 2, wait_s: float = 5) -> None:
        self._hasher = hasher
        self._slots = threading.BoundedSemaphore(slots)
        self._wait_s = wait_s
        # What the password of an unknown name is compared with, so that it takes as long.
        self.nobodys_hash = hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: Secret) -> str:
        """Return what to store for a password.

        Raises:
            Overloaded: no slot became free.
        """
        with self.slot():
            return self._hasher.hash(_bytes(password))

    def matches(self, stored: str, password: Secret) -> bool:
        """Compare a password with what is stored; the caller holds a slot."""
        try:
            return self._hasher.verify(stored, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots.

        Raises:
            Overloaded: none became free in time.
        """
        if not self._slots.acquire(timeout=self._wait_s):
            raise Overloaded
        try:
            yield
        finally:
            self._slots.release()


def new_hasher() -> PasswordHasher:
    """Return the hasher that production uses."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def _bytes(password: Secret) -> bytes:
    # JSON can carry half a surrogate pair; it is a password like any other.
    return password.reveal().encode("utf-8", "surrogatepass")
