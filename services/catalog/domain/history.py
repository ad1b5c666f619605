"""What a tag pointed at, from when to when: folded out of everything that was ever written to it.

The fold depends on what happened and not on when it was told, like the index itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from services.catalog.domain.occurrences import SERVICE_ACCOUNT, Meaning, Occurrence, Stamp, meaning_of
from shared.oci.names import Digest, Tag

ANY_TAG = ""
"""Stands for the tag of a deletion that named a digest."""


class Kind(StrEnum):
    """What was done to a tag, or came of it."""

    PUSHED = "pushed"
    SEEN = "seen"
    """A crawl found it there."""
    DELETED = "deleted"
    VANISHED = "vanished"
    """A crawl did not find it any more."""


class End(StrEnum):
    """How a tag came to point at something no longer."""

    OVERWRITTEN = "overwritten"
    DELETED = "deleted"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class TagWrite:
    """One write of a tag."""

    stamp: Stamp
    tag: str
    """``ANY_TAG``: of every tag on the digest."""
    kind: Kind
    digest: Digest | None = None
    """Where it points now; of a deletion the digest that was deleted, if that was named."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which a tag pointed at one digest."""

    digest: Digest
    since: datetime
    pushed_by: str | None
    """``None``: nobody told us."""
    is_witnessed: bool
    """Whether we were told of the push; else it may have begun earlier."""
    until: datetime | None = None
    end: End | None = None
    """``None``: it points there still."""
    ended_by: str | None = None
    event: str = field(default="", compare=False)
    """Id of what began it; with ``since`` it tells one from all others of the tag."""


def writes_of(occurrence: Occurrence, gone: Iterable[Tag] = ()) -> Sequence[TagWrite]:
    """Return what an occurrence writes.

    Args:
        gone: the tags that a deleted digest took with it, as far as is known.
    """
    match meaning_of(occurrence):
        case Meaning.TAG_PUSHED if occurrence.tag:
            return [_write(occurrence, occurrence.tag, Kind.PUSHED)]
        case Meaning.TAG_DELETED if occurrence.tag:
            return [_write(occurrence, occurrence.tag, Kind.DELETED)]
        case Meaning.MANIFEST_DELETED:
            return [_write(occurrence, tag, Kind.DELETED) for tag in (ANY_TAG, *gone)]
        case _:
            return []


def _write(occurrence: Occurrence, tag: str, kind: Kind) -> TagWrite:
    return TagWrite(occurrence.stamp, tag, kind, occurrence.digest, occurrence.actor)


def _author(write: TagWrite) -> str | None:
    # That our own account pushed it says nothing of who wanted it.
    return write.actor if write.kind is Kind.PUSHED and write.actor != SERVICE_ACCOUNT else None


def fold_history(writes: Iterable[TagWrite]) -> Sequence[Period]:
    """Return the periods of one tag, oldest first.

    Args:
        writes: those of the tag and those of ``ANY_TAG``, in any order.
    """
    periods: list[Period] = []
    for write in sorted(writes, key=lambda write: write.stamp):
        if write.kind in (Kind.PUSHED, Kind.SEEN):
            _begin(periods, write)
        else:
            _finish(periods, write)
    return periods


def _begin(periods: list[Period], write: TagWrite) -> None:
    if write.digest is None:
        return
    current = periods[-1] if periods and periods[-1].end is None else None
    if current and current.digest == write.digest:
        periods[-1] = _renamed(current, write)
        return
    if current:
        periods[-1] = replace(current, until=write.stamp.time, end=End.OVERWRITTEN, ended_by=_author(write))
    is_pushed = write.kind is Kind.PUSHED
    periods.append(Period(write.digest, write.stamp.time, _author(write), is_pushed, event=write.stamp.id))


def _renamed(period: Period, write: TagWrite) -> Period:
    if write.kind is Kind.PUSHED and period.pushed_by is None:
        return replace(period, pushed_by=_author(write))
    return period


def _finish(periods: list[Period], write: TagWrite) -> None:
    if not periods or (write.tag == ANY_TAG and periods[-1].digest != write.digest):
        return
    last = periods[-1]
    if last.end is None:
        end = End.VANISHED if write.kind is Kind.VANISHED else End.DELETED
        periods[-1] = replace(last, until=write.stamp.time, end=end, ended_by=write.actor)
    elif last.end is End.DELETED and last.ended_by == SERVICE_ACCOUNT and write.actor:
        # The registry names our own account where it was somebody else's wish, which is written down too.
        periods[-1] = replace(last, ended_by=write.actor)
