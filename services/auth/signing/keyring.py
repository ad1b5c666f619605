"""Which leaf signs now, the same in every process of ``auth``.

A worker mints a leaf long before the old one ends; where no worker runs, whoever serves does. It signs
only when it has been in the database for two minutes: by then every process has re-read the table and
can verify it. One that signs earlier, because there is no other or an operator was in a hurry, is looked
for in the table when it is met.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.auth.domain.actors import Actor
from services.auth.domain.errors import SigningUnavailable
from services.auth.signing.algorithms import Algorithm
from services.auth.signing.authority import Authority, validity_fault
from services.auth.signing.leaves import Leaf, SigningLeaf
from services.auth.signing.minting import Mint, Rotation, load_leaves
from services.auth.storage.leaves import list_leaves
from shared.clock import Clock
from shared.database import Database

REREAD_AFTER = timedelta(minutes=1)
SEARCHED_AFTER = timedelta(seconds=1)
"""How often at most the table is searched for leaves that are not known."""
MARGIN = timedelta(hours=2)
"""What a leaf must still have to live: more than the longest token (one hour) and the leeway that
a registry grants (a minute), so that a leaf outlives every token it signs."""
PATIENCE = 2
"""Whoever serves mints when a leaf is this many times as old as workers let it become."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    authority: Authority
    ends_at: datetime
    """When the CA ends."""
    leaves: tuple[Leaf, ...]
    """Those that live, newest first."""
    read_at: datetime


class Keyring:
    """The leaves, read from the database at most once a minute.

    Args:
        read_authority: returns the CA as it is now; asked whenever the leaves are read.
        algorithm: what tokens are to be signed with.
        leaf_ttl: life of a leaf; more than ``MARGIN``.
    """

    def __init__(
        self,
        read_authority: Callable[[], Authority],
        *,
        algorithm: Algorithm,
        leaf_ttl: timedelta,
        database: Database,
        clock: Clock,
    ) -> None:
        self._read_authority = read_authority
        self._mint = Mint(algorithm, leaf_ttl, database)
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._reading: _Reading | None = None
        self._searched_at: datetime | None = None

    def current(self) -> SigningLeaf:
        """Return the leaf to sign with; mint one when there is none.

        Raises:
            SigningUnavailable: the CA has ended.
            SQLAlchemyError: there is no usable leaf in memory and the database does not answer.
        """
        now = self._clock()
        return self._signing(self._recent(now), now) or self._mint_and_read(now)

    def leaves(self) -> Sequence[Leaf]:
        """Return every live leaf: what a verifier may meet."""
        now = self._clock()
        return [leaf for leaf in self._recent(now).leaves if leaf.expires_at > now]

    def find(self, kid: str) -> Leaf | None:
        """Return the live leaf of that name; one that is not known is searched in the table, once a second.

        Raises:
            SQLAlchemyError: it is not known and the database does not answer.
        """
        now = self._clock()
        reading = self._recent(now)
        leaf = _named(reading, kid) or _named(self._search(reading, now), kid)
        return leaf if leaf and leaf.expires_at > now else None

    def renew(self) -> bool:
        """Mint a leaf if it is time, and delete expired ones.

        Returns:
            Whether one was minted.
        """
        now, authority = self._clock(), self._read_authority()
        if validity_fault(authority, now=now):
            return False
        return self._mint.renew(authority=authority, now=now)

    def rotate(self, actor: Actor, *, at_once: bool = False, revoke: Sequence[str] = ()) -> Rotation:
        """Mint a leaf whatever there is, and take others out of use; see ``Mint.rotate``.

        Raises:
            SigningUnavailable: the CA has ended.
            RotationRefused: a leaf to be revoked does not live, or too many do.
        """
        now, authority = self._clock(), self._read_authority()
        _check(authority, now)
        at_once = at_once or bool(revoke)
        return self._mint.rotate(actor, authority=authority, now=now, at_once=at_once, revoke=revoke)

    def fault(self) -> str | None:
        """Return why no token can be signed, or ``None``: a readiness check."""
        try:
            self.current()
        except (SQLAlchemyError, SigningUnavailable) as fault:
            return f"there is no signing leaf: {type(fault).__name__}"
        return None

    def _recent(self, now: datetime) -> _Reading:
        reading = self._reading
        if reading is None:
            with self._lock:
                return self._reading or self._read(self._read_authority(), now)
        # One thread re-reads; the others go on with what they have.
        if now - reading.read_at >= REREAD_AFTER and self._lock.acquire(blocking=False):
            try:
                reading = self._read(self._read_authority(), now)
                self._renew_if_due(reading, now)
            except SQLAlchemyError as fault:
                log.warning("leaves.not_read", reason=type(fault).__name__)
                self._reading = reading = replace(reading, read_at=now)
            finally:
                self._lock.release()
        return reading

    def _search(self, seen: _Reading, now: datetime) -> _Reading:
        with self._lock:
            # Whoever waited here while another thread was reading finds what that one found.
            if self._reading is not None and self._reading is not seen:
                return self._reading
            if self._searched_at is not None and now - self._searched_at < SEARCHED_AFTER:
                return seen
            self._searched_at = now
            return self._read(self._read_authority(), now)

    def _mint_and_read(self, now: datetime) -> SigningLeaf:
        with self._lock:
            authority = self._read_authority()
            _check(authority, now)
            until = _needed_until(authority.expires_at, now)
            self._mint.mint_unless(
                lambda leaf: isinstance(leaf, SigningLeaf) and leaf.expires_at >= until, authority=authority, now=now
            )
            reading = self._read(authority, now)
        leaf = self._signing(reading, now)
        if leaf is None:
            raise LookupError("a leaf that has just been minted is not in the database")
        return leaf

    def _read(self, authority: Authority, now: datetime) -> _Reading:
        before = self._reading
        # Loaded leaves are kept; under another CA they have to be loaded anew, because they may not sign.
        known = {leaf.kid: leaf for leaf in before.leaves} if before and before.authority is authority else {}
        with self._database.read() as connection:
            stored = list_leaves(connection, now=now)
        loaded = {leaf.kid: leaf for leaf in load_leaves(authority, [one for one in stored if one.kid not in known])}
        both = known | loaded
        leaves = tuple(both[one.kid] for one in stored if one.kid in both)
        self._reading = _Reading(authority, authority.expires_at, leaves, now)
        return self._reading

    def _signing(self, reading: _Reading, now: datetime) -> SigningLeaf | None:
        until = _needed_until(reading.ends_at, now)
        usable = [leaf for leaf in reading.leaves if isinstance(leaf, SigningLeaf) and leaf.expires_at >= until > now]
        settled = [leaf for leaf in usable if leaf.signs_at <= now]
        wanted = [leaf for leaf in settled if leaf.algorithm is self._mint.algorithm]
        # Newest first; when none is settled (the very first minutes) the oldest, which most know.
        return next(iter([*wanted, *settled, *reversed(usable)]), None)

    def _renew_if_due(self, reading: _Reading, now: datetime) -> None:
        """Mint behind the request's back where no worker does it, so that no request ever waits for it."""
        if self._signing(reading, now) is None:
            return
        wanted = [leaf for leaf in reading.leaves if self._mint.is_wanted(leaf, reading.authority)]
        due = not wanted or self._mint.is_due(wanted[0], reading.authority, now=now, patience=PATIENCE)
        if due and self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew_behind, name="leaf-renewal", daemon=True).start()

    def _renew_behind(self) -> None:
        try:
            self.renew()
        except SQLAlchemyError as fault:
            log.warning("leaf.not_renewed", reason=type(fault).__name__)
        finally:
            self._renewing.release()


def _named(reading: _Reading, kid: str) -> Leaf | None:
    return next((leaf for leaf in reading.leaves if leaf.kid == kid), None)


def _needed_until(ends_at: datetime, now: datetime) -> datetime:
    """Return how long a leaf must live to sign now; in its CA's last hours there is none that lives longer."""
    return min(now + MARGIN, ends_at)


def _check(authority: Authority, now: datetime) -> None:
    if validity_fault(authority, now=now):
        raise SigningUnavailable
