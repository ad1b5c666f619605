"""Does the chain hold? Followed from entry to entry, until the first that breaks it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.auth.domain.audit_chain import GENESIS, Entry, Head, entry_hash


class Breach(StrEnum):
    """What is wrong with the first entry that breaks the chain."""

    CHANGED = "changed: what it says does not match its hash"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order: it does not follow from the one before it"
    TAIL_CUT = "missing, with all that came after it: the tail was cut off"
    ADDED = "added: the head of the partition does not know it"
    HEAD_CHANGED = "not what the head of the partition names as its last"
    APART = "not what follows from the partition before it: entries are missing, with their head"


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that breaks the chain."""

    partition: str
    position: int
    breach: Breach

    def __str__(self) -> str:
        return f"{self.partition}, entry {self.position}: {self.breach}"


@dataclass(frozen=True, slots=True)
class Proof:
    """How far the chain was followed, and what was found there."""

    entries: int
    head: str
    """Hash of the last entry that holds."""
    broken: Break | None
    """``None``: the chain holds."""
    met: bool
    """Whether the hash that was looked for was met on the way."""


def follow(head: Head, entries: Iterable[Entry]) -> Iterator[Entry | Break]:
    """Yield the entries of one partition as long as they hold; what breaks the chain comes last.

    Args:
        entries: all that are there, by position.
    """
    previous, position = head.previous_hash, 0
    first = head.last_id - head.entries
    for entry in entries:
        position += 1
        breach = _breach(head, entry, position, first + position, previous)
        if breach:
            yield Break(head.partition, entry.position if breach is Breach.ADDED else position, breach)
            return
        previous = entry.hash
        yield entry
    if position < head.entries:
        yield Break(head.partition, position + 1, Breach.TAIL_CUT)
    elif previous != head.hash:
        yield Break(head.partition, position, Breach.HEAD_CHANGED)


def find_gap(before: Head | None, head: Head) -> Break | None:
    """Return what is wrong where one partition ends and the next begins.

    Args:
        before: the head of the partition before; ``None``: there is none.
    """
    end = (before.hash, before.last_id) if before else (GENESIS, 0)
    if (head.previous_hash, head.last_id - head.entries) == end:
        return None
    return Break(head.partition, 1, Breach.APART)


def _breach(head: Head, entry: Entry, position: int, id: int, previous: str) -> Breach | None:
    if entry.position > head.entries or entry.position < position:
        return Breach.ADDED
    if entry.position > position:
        return Breach.MISSING
    if entry.previous_hash != previous or entry.id != id:
        return Breach.OUT_OF_ORDER
    return Breach.CHANGED if entry_hash(entry) != entry.hash else None
