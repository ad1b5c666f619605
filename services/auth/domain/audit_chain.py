"""The hash chain of the audit trail: every entry carries the hash of the one before.

The hash of an entry is SHA-256, in hexadecimal, over its canonical form: a JSON object of all its
members but ``hash`` itself, without those that are null, in the order of their names, without
blanks, in UTF-8 (what RFC 8785 makes of strings, integers, booleans, lists and objects).

The chain is cut into partitions, one per month (UTC). The first entry of a partition carries the hash
of the last one before it. What a partition ends in is kept beside it in its *head*.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Change, PlainValue, Ref, Target, moment

GENESIS = "0" * 64
"""What the very first entry carries as the hash of the one before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, as it is kept."""

    id: int
    """Counts all entries that there ever were, from 1."""
    partition: str
    """Month (UTC) in which it was written: ``2026-11``."""
    position: int
    """Counts the entries of the partition, from 1."""
    at: datetime
    actor_kind: str
    actor: str
    """Username; empty for somebody anonymous and for the command line."""
    actor_id: int | None
    """Of the person or the robot; ``None``: the actor has none."""
    address: str
    request_id: str
    action: str
    target_type: str
    target: Target
    """What was changed; its id is text, whatever it is elsewhere."""
    user: Ref | None
    """The person whom it concerns."""
    team: Ref | None
    """The team that it concerns."""
    namespace: Ref | None
    """The namespace that it concerns."""
    before: dict[str, PlainValue]
    after: dict[str, PlainValue]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """What a partition begins from and ends in."""

    partition: str
    previous_hash: str
    """Hash of the last entry before the partition."""
    entries: int
    last_id: int
    hash: str
    """Hash of its last entry."""
    purged_at: datetime | None = None
    """When its entries were deleted, as the operator wants it."""


def partition_of(at: datetime) -> str:
    """Return the partition of a moment."""
    return at.astimezone(UTC).strftime("%Y-%m")


def next_head(head: Head | None, at: datetime) -> Head:
    """Return the head of the partition that an entry of this moment goes into.

    Partitions never go back: when a clock does, the entry goes where the one before went.
    """
    partition = partition_of(at)
    if head is None:
        return Head(partition, GENESIS, entries=0, last_id=0, hash=GENESIS)
    if partition <= head.partition:
        return head
    return Head(partition, head.hash, entries=0, last_id=head.last_id, hash=head.hash)


def extend(head: Head, actor: Actor, changes: Iterable[Change], *, at: datetime) -> Iterator[Entry]:
    """Turn changes into the entries that follow a head, in order."""
    previous = head.hash
    for number, change in enumerate(changes, start=1):
        entry = _entry(head, number, actor, change, at, previous)
        yield entry
        previous = entry.hash


def entry_hash(entry: Entry) -> str:
    """Return what an entry's hash has to be."""
    return hashlib.sha256(canonical(entry)).hexdigest()


def canonical(entry: Entry) -> bytes:
    """Return an entry's canonical form. Source: RFC 8785 §3.2."""
    members = asdict(entry) | {"at": moment(entry.at)}
    present = {name: value for name, value in members.items() if value is not None and name != "hash"}
    return json.dumps(present, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _entry(head: Head, number: int, actor: Actor, change: Change, at: datetime, previous_hash: str) -> Entry:
    subject = actor.subject
    entry = Entry(
        id=head.last_id + number,
        partition=head.partition,
        position=head.entries + number,
        at=at,
        actor_kind=subject.kind.value,
        actor=subject.username,
        actor_id=subject.id,
        address=actor.origin.address[:64],
        request_id=actor.origin.request_id,
        action=change.action.value,
        target_type=change.action.target_type,
        target=Target(str(change.target.id), change.target.name),
        user=change.concerned("user"),
        team=change.concerned("team"),
        namespace=change.concerned("namespace"),
        before=dict(change.old),
        after=dict(change.new),
        previous_hash=previous_hash,
        hash="",
    )
    return replace(entry, hash=entry_hash(entry))
