"""Leaves come into the database here, and are taken out of use: one process at a time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cryptography.fernet import InvalidToken
from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Target
from services.auth.signing.algorithms import Algorithm
from services.auth.signing.authority import Authority
from services.auth.signing.leaves import SIGNS_AFTER, Leaf, SigningLeaf, load_leaf, mint_leaf
from services.auth.storage.leaves import (
    MAX_LEAVES,
    StoredLeaf,
    insert_leaf,
    list_leaves,
    purge_leaves,
    revoke_leaf,
)
from services.auth.storage.locks import Lock, hold
from services.auth.usecases.audit import Record, audited
from shared.database import Database

RENEWALS = 7
"""A leaf is renewed when a seventh of its life is over: every day, of seven days."""

EVERY_LEAF = "all"

log = structlog.get_logger(__name__)


class RotationRefused(Exception):
    """The keys cannot be rotated as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation by hand has done."""

    minted: str
    """The new leaf's ``kid``."""
    signs_at: datetime
    revoked: Sequence[StoredLeaf]


class Mint:
    """Makes leaves.

    Args:
        algorithm: what tokens are to be signed with.
        leaf_ttl: life of a leaf.
    """

    def __init__(self, algorithm: Algorithm, leaf_ttl: timedelta, database: Database) -> None:
        self.algorithm = algorithm
        self._leaf_ttl = leaf_ttl
        self._database = database

    def mint_unless(self, is_enough: Callable[[Leaf], bool], *, authority: Authority, now: datetime) -> bool:
        """Mint a leaf, unless there is one that is enough; return whether one was minted."""
        with self._database.write() as connection:
            hold(connection, Lock.LEAVES)
            if any(map(is_enough, load_leaves(authority, list_leaves(connection, now=now)))):
                return False
            self._insert(connection, authority, now)
        return True

    def renew(self, *, authority: Authority, now: datetime) -> bool:
        """Mint a leaf if it is time, and delete expired ones; return whether one was minted."""
        with self._database.write() as connection:
            purge_leaves(connection, now=now)
        return self.mint_unless(
            lambda leaf: self.is_wanted(leaf, authority) and not self.is_due(leaf, authority, now=now),
            authority=authority,
            now=now,
        )

    def rotate(
        self, actor: Actor, *, authority: Authority, now: datetime, at_once: bool, revoke: Collection[str]
    ) -> Rotation:
        """Mint a leaf whatever there is, and take others out of use; the audit trail has it.

        Args:
            at_once: whether it signs as soon as a process has read it.
            revoke: the ``kid`` of leaves that are never to sign or verify again; ``all`` for every one.

        Raises:
            RotationRefused: a leaf to be revoked does not live, or too many do.
        """
        with self._database.write() as connection:
            hold(connection, Lock.LEAVES)
            live = list_leaves(connection, now=now)
            revoked = _chosen(live, revoke)
            if len(live) - len(revoked) >= MAX_LEAVES:
                raise RotationRefused(f"{len(live)} leaves live, and no more may: wait until some expire, or revoke")
            with audited(connection, actor, lambda: now) as record:
                for leaf in revoked:
                    _revoke(connection, record, leaf, now)
                minted = self._insert(connection, authority, now, at_once=at_once)
                record(Change(Action.KEY_ROTATED, Target(minted.kid, minted.kid), after=_shown(minted)))
        return Rotation(minted.kid, now if at_once else now + SIGNS_AFTER, revoked)

    def is_wanted(self, leaf: Leaf, authority: Authority) -> bool:
        """Tell whether a leaf is of the kind that would be minted now."""
        return isinstance(leaf, SigningLeaf) and leaf.algorithm is self.algorithm and leaf.is_under(authority)

    def is_due(self, leaf: Leaf, authority: Authority, *, now: datetime, patience: int = 1) -> bool:
        """Tell whether it is time to replace a leaf.

        Args:
            patience: how many times the usual age it may reach.
        """
        life = leaf.expires_at - leaf.created_at
        # One that ends with its CA lives shorter than it was to, and so would the next.
        if leaf.expires_at >= authority.expires_at:
            life = self._leaf_ttl
        return now - leaf.created_at >= patience * min(life, self._leaf_ttl) / RENEWALS

    def _insert(
        self, connection: Connection, authority: Authority, now: datetime, *, at_once: bool = False
    ) -> StoredLeaf:
        leaf = mint_leaf(authority, algorithm=self.algorithm, ttl=self._leaf_ttl, now=now, at_once=at_once)
        insert_leaf(connection, leaf)
        log.info("leaf.minted", kid=leaf.kid, expires_at=leaf.expires_at.isoformat())
        return leaf


def _revoke(connection: Connection, record: Record, leaf: StoredLeaf, now: datetime) -> None:
    revoke_leaf(connection, leaf.kid, now=now)
    record(Change(Action.KEY_REVOKED, Target(leaf.kid, leaf.kid), before=_shown(leaf)))
    log.warning("leaf.revoked", kid=leaf.kid, expires_at=leaf.expires_at.isoformat())


def _shown(leaf: StoredLeaf) -> Fields:
    return {"kid": leaf.kid, "expires_at": leaf.expires_at}


def load_leaves(authority: Authority, stored: Sequence[StoredLeaf]) -> list[Leaf]:
    """Load leaves; one that cannot be read is passed over."""
    return [leaf for one in stored if (leaf := _load(authority, one))]


def _load(authority: Authority, stored: StoredLeaf) -> Leaf | None:
    try:
        return load_leaf(authority, stored)
    except (InvalidToken, ValueError, TypeError) as fault:
        log.error("leaf.not_readable", kid=stored.kid, fault=type(fault).__name__)
        return None


def _chosen(live: Sequence[StoredLeaf], kids: Collection[str]) -> list[StoredLeaf]:
    if EVERY_LEAF in kids:
        return list(live)
    if unknown := set(kids) - {leaf.kid for leaf in live}:
        listed = "\n".join(f"  {leaf.kid}" for leaf in live) or "  none"
        raise RotationRefused(f"no leaf {', '.join(sorted(unknown))} lives; these do:\n{listed}")
    return [leaf for leaf in live if leaf.kid in kids]
