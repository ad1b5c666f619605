"""Which leaf signs now, the same in every process of ``auth``.

A leaf is minted every day by a worker, long before the old one ends. It signs only when it has been
in the database for two minutes: by then every process has re-read the table and can verify it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from services.auth.signing.authority import Authority
from services.auth.signing.leaves import Leaf, load_leaf, mint_leaf
from services.auth.storage.leaves import StoredLeaf, insert_leaf, list_leaves, purge_leaves
from services.auth.storage.locks import Lock, hold
from shared.clock import Clock
from shared.database import Database

REREAD_AFTER = timedelta(minutes=1)
SIGNS_AFTER = timedelta(minutes=2)
RENEWED_AFTER = timedelta(days=1)
MARGIN = timedelta(hours=2)
"""What a leaf must still have to live: more than the longest token (one hour) and the leeway that
a registry grants (a minute), so that a leaf outlives every token it signs."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    leaves: tuple[Leaf, ...]
    """Unexpired, newest first."""
    read_at: datetime


class Keyring:
    """The leaves of one CA, read from the database at most once a minute.

    Args:
        authority: the CA; leaves of another one are passed over.
    """

    def __init__(self, authority: Authority, *, database: Database, clock: Clock) -> None:
        self._authority = authority
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: _Reading | None = None

    def current(self) -> Leaf:
        """Return the leaf to sign with; mint one when there is none.

        Raises:
            SQLAlchemyError: there is no usable leaf in memory and the database does not answer.
        """
        now = self._clock()
        return _signing(self._leaves(now), now) or self._mint(now)

    def leaves(self) -> Sequence[Leaf]:
        """Return every unexpired leaf: what a verifier may meet."""
        now = self._clock()
        return [leaf for leaf in self._leaves(now) if leaf.expires_at > now]

    def find(self, kid: str) -> Leaf | None:
        """Return the unexpired leaf of that name."""
        return next((leaf for leaf in self.leaves() if leaf.kid == kid), None)

    def renew(self) -> bool:
        """Mint a leaf when the newest is a day old, and delete expired ones.

        Returns:
            Whether one was minted.
        """
        now = self._clock()
        with self._database.write() as connection:
            purge_leaves(connection, now=now)
            return _mint_unless(connection, self._authority, now, lambda leaf: now - leaf.created_at < RENEWED_AFTER)

    def fault(self) -> str | None:
        """Return why no token can be signed, or ``None``: a readiness check."""
        try:
            self.current()
        except SQLAlchemyError as fault:
            return f"no signing leaf can be read: {type(fault).__name__}"
        return None

    def _leaves(self, now: datetime) -> tuple[Leaf, ...]:
        reading = self._reading
        if reading is None:
            with self._lock:
                return self._read(now)
        # One thread re-reads; the others go on with what they have.
        if now - reading.read_at >= REREAD_AFTER and self._lock.acquire(blocking=False):
            try:
                return self._read(now)
            except SQLAlchemyError as fault:
                log.warning("leaves.not_read", reason=type(fault).__name__)
                self._reading = _Reading(reading.leaves, now)
            finally:
                self._lock.release()
        return reading.leaves

    def _mint(self, now: datetime) -> Leaf:
        with self._lock:
            with self._database.write() as connection:
                _mint_unless(connection, self._authority, now, lambda leaf: leaf.expires_at - now > MARGIN)
            leaves = self._read(now)
        leaf = _signing(leaves, now)
        if leaf is None:
            raise LookupError("a leaf that has just been minted is not in the database")
        return leaf

    def _read(self, now: datetime) -> tuple[Leaf, ...]:
        known = {leaf.kid: leaf for leaf in (self._reading.leaves if self._reading else ())}
        with self._database.read() as connection:
            stored = list_leaves(connection, self._authority.fingerprint, now=now)
        leaves = tuple(known.get(one.kid) or load_leaf(self._authority, one) for one in stored)
        self._reading = _Reading(leaves, now)
        return leaves


def _signing(leaves: Sequence[Leaf], now: datetime) -> Leaf | None:
    usable = [leaf for leaf in leaves if leaf.expires_at - now > MARGIN]
    settled = [leaf for leaf in usable if now - leaf.created_at >= SIGNS_AFTER]
    # Newest first; when none is settled (the very first minutes) the oldest, which most know.
    return settled[0] if settled else (usable[-1] if usable else None)


def _mint_unless(
    connection: Connection, authority: Authority, now: datetime, is_enough: Callable[[StoredLeaf], bool]
) -> bool:
    hold(connection, Lock.LEAVES)
    if any(is_enough(leaf) for leaf in list_leaves(connection, authority.fingerprint, now=now)):
        return False
    leaf = mint_leaf(authority, now=now)
    insert_leaf(connection, leaf)
    log.info("leaf.minted", kid=leaf.kid, expires_at=leaf.expires_at.isoformat())
    return True
