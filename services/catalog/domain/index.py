"""The state of one repository and what occurrences make of it, in whatever order they arrive.

The state is a function of the *set* of occurrences, not of their sequence:

* a tag is what its last write says (greatest stamp), a push of a digest or a deletion by name;
* a tag that was pushed is gone all the same when its digest was deleted after that push;
* a manifest lies in the repository when its digest was not deleted after its last push;
* what we did ourselves is told twice, by us and by the registry, with one id: that is one write, at the later time;
* pulls only add up, and are counted apart from the tags, so that one may come before its push.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.catalog.domain.occurrences import Meaning, Occurrence, Stamp, meaning_of
from shared.oci.names import Digest, Tag

BY_DIGEST = ""
"""Stands for the tag of a pull that named a digest."""

PullKey = tuple[str, Digest]
"""Tag (or ``BY_DIGEST``) and digest of a pull."""


@dataclass(frozen=True, slots=True)
class TagState:
    """The last write of a tag, and whether the tag is there."""

    digest: Digest | None
    """``None`` when the last write deleted the tag by name."""
    stamp: Stamp
    present: bool
    pushed_at: datetime | None = None
    """``None`` when nobody told us, as for a tag that a crawl found, or of which only our own account is known."""
    pushed_by: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestState:
    """The last push of a manifest, under whatever tag or none, and whether it is there."""

    stamp: Stamp
    present: bool
    pushed_by: str | None = None
    """``None`` when nobody told us."""

    @property
    def is_seen(self) -> bool:
        """Whether a crawl found it, and nobody told us of its push."""
        return not self.stamp.id


@dataclass(frozen=True, slots=True)
class PullCount:
    """How often something was fetched, and when last."""

    pulls: int = 0
    pulled_at: datetime | None = None
    checks: int = 0
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """The part of a repository's index that a batch of occurrences is about."""

    tags: Mapping[Tag, TagState] = field(default_factory=dict)
    manifests: Mapping[Digest, ManifestState] = field(default_factory=dict)
    deletions: Mapping[Digest, Stamp] = field(default_factory=dict)
    """The last deletion of each digest, kept for pushes that arrive after it."""
    pulls: Mapping[PullKey, PullCount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TagChange:
    """A tag points somewhere else from now on."""

    tag: Tag
    digest: Digest | None
    """``None``: the tag is gone."""
    previous_digest: Digest | None
    cause: Occurrence


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an occurrence."""

    state: RepositoryState
    changes: tuple[TagChange, ...] = ()
    late: tuple[Occurrence, ...] = ()
    """Pushes of a tag that we heard of after something else was written to it."""


def apply_occurrence(state: RepositoryState, occurrence: Occurrence) -> Outcome:
    """Return the state of the occurrence's repository with it, and the tags it changed.

    Args:
        state: must hold what is known of the occurrence's tag, of its digest with deletion and pulls,
            and of every tag whose last push was of a digest that the occurrence deletes.
        occurrence: anything that happened in this repository.
    """
    match meaning_of(occurrence):
        case Meaning.TAG_PUSHED:
            return _push_tag(_push_manifest(state, occurrence), occurrence)
        case Meaning.MANIFEST_PUSHED:
            return Outcome(_push_manifest(state, occurrence))
        case Meaning.TAG_DELETED:
            return _delete_tag(state, occurrence)
        case Meaning.MANIFEST_DELETED:
            return _delete_manifest(state, occurrence)
        case Meaning.PULLED | Meaning.CHECKED:
            return Outcome(_count(state, occurrence))
        case _:
            return Outcome(state)


def apply_all(state: RepositoryState, occurrences: Iterable[Occurrence]) -> Outcome:
    """Apply occurrences of one repository one after the other."""
    changes: tuple[TagChange, ...] = ()
    late: tuple[Occurrence, ...] = ()
    for occurrence in occurrences:
        outcome = apply_occurrence(state, occurrence)
        state, changes, late = outcome.state, changes + outcome.changes, late + outcome.late
    return Outcome(state, changes, late)


def observe_tag(state: RepositoryState, tag: Tag, digest: Digest, seen_at: datetime) -> RepositoryState:
    """Return the state after a crawl has seen a tag.

    An event that is newer than the crawl's reading wins. A tag that is where we thought it is keeps
    what is known of its push.

    Args:
        seen_at: the registry's clock at or before the reading.
    """
    known, stamp = state.tags.get(tag), Stamp(seen_at, "")
    state = _see_manifest(state, digest, stamp)
    # Two readings in one second: the one that comes second is the later one.
    if known and (known.stamp > stamp or (known.present and known.digest == digest)):
        return state
    return _with_tag(state, tag, TagState(digest, stamp, present=not _deleted_after(state, digest, stamp)))


def observe_absence(state: RepositoryState, tag: Tag, seen_at: datetime) -> RepositoryState:
    """Return the state after a crawl has not found a tag; whatever was written since then wins.

    Args:
        seen_at: the registry's clock at or before the look.
    """
    known = state.tags.get(tag)
    if known is None or not known.present or known.stamp.time >= seen_at:
        return state
    return _with_tag(state, tag, TagState(None, Stamp(seen_at, ""), present=False))


def observe_lost_manifest(state: RepositoryState, digest: Digest, seen_at: datetime) -> RepositoryState:
    """Return the state after a crawl has not found a manifest; a push since then wins."""
    known = state.manifests.get(digest)
    if known is None or not known.present or known.stamp.time >= seen_at:
        return state
    return _with_manifest(state, digest, replace(known, present=False))


def _push_manifest(state: RepositoryState, push: Occurrence) -> RepositoryState:
    if push.digest is None:
        return state
    known = state.manifests.get(push.digest)
    if known is None or known.stamp < push.stamp:
        present = not _deleted_after(state, push.digest, push.stamp)
        pushed_by = known.pushed_by if known and known.present and _is_nobodys(push) else push.author
        return _with_manifest(state, push.digest, ManifestState(push.stamp, present, pushed_by))
    # A crawl saw the outcome before we heard of the push.
    if known.is_seen and known.present and not _deleted_after(state, push.digest, push.stamp):
        return _with_manifest(state, push.digest, replace(known, pushed_by=push.author))
    return state


def _see_manifest(state: RepositoryState, digest: Digest, stamp: Stamp) -> RepositoryState:
    known = state.manifests.get(digest)
    if known and (known.present or known.stamp > stamp):
        return state
    return _with_manifest(state, digest, ManifestState(stamp, not _deleted_after(state, digest, stamp)))


def _push_tag(state: RepositoryState, push: Occurrence) -> Outcome:
    if push.tag is None or push.digest is None:
        return Outcome(state)
    known = state.tags.get(push.tag)
    if known and known.stamp >= push.stamp:
        late = (push,) if known.digest != push.digest else ()
        return Outcome(_learn_of_push(state, push.tag, known, push), late=late)
    present = not _deleted_after(state, push.digest, push.stamp)
    written = _written(known, push, present=present)
    return Outcome(_with_tag(state, push.tag, written), _changes(push.tag, known, written, push))


def _written(known: TagState | None, push: Occurrence, *, present: bool) -> TagState:
    if not _is_nobodys(push):
        return TagState(push.digest, push.stamp, present, pushed_at=push.stamp.time, pushed_by=push.author)
    if known and known.present and known.digest == push.digest:
        return replace(known, stamp=push.stamp, present=present)
    return TagState(push.digest, push.stamp, present)


def _is_nobodys(push: Occurrence) -> bool:
    """Tell whether all that is known of a push is that we did it: it says where the tag is, and of no author."""
    return push.is_ours and push.author is None


def _learn_of_push(state: RepositoryState, tag: Tag, known: TagState, push: Occurrence) -> RepositoryState:
    # A crawl saw the outcome before we heard of the push: only who and when are news.
    heard_later = known.pushed_at is None or known.pushed_at < push.stamp.time
    if _is_nobodys(push):
        return state
    if not (known.present and known.digest == push.digest and heard_later):
        return state
    if _deleted_after(state, known.digest, push.stamp):
        return state
    return _with_tag(state, tag, replace(known, pushed_at=push.stamp.time, pushed_by=push.author))


def _delete_tag(state: RepositoryState, deletion: Occurrence) -> Outcome:
    if deletion.tag is None:
        return Outcome(state)
    known = state.tags.get(deletion.tag)
    if known and known.stamp >= deletion.stamp:
        return Outcome(state)
    written = TagState(None, deletion.stamp, present=False)
    return Outcome(_with_tag(state, deletion.tag, written), _changes(deletion.tag, known, written, deletion))


def _delete_manifest(state: RepositoryState, deletion: Occurrence) -> Outcome:
    digest = deletion.digest
    if digest is None or _deleted_after(state, digest, deletion.stamp):
        return Outcome(state)
    # The tags keep the stamp of their push: a push between it and this deletion, which we have yet
    # to hear of, moved the tag away in time.
    gone = {
        tag: replace(known, present=False)
        for tag, known in state.tags.items()
        if known.digest == digest and known.present and known.stamp < deletion.stamp
    }
    changes = tuple(TagChange(tag, None, digest, deletion) for tag in gone)
    state = replace(
        state,
        tags={**state.tags, **gone},
        manifests=_without(state.manifests, digest, deletion.stamp),
        deletions={**state.deletions, digest: deletion.stamp},
    )
    return Outcome(state, changes)


def _without(
    manifests: Mapping[Digest, ManifestState], digest: Digest, deletion: Stamp
) -> Mapping[Digest, ManifestState]:
    known = manifests.get(digest)
    if known is None or known.stamp > deletion:
        return manifests
    return {**manifests, digest: replace(known, present=False)}


def _count(state: RepositoryState, fetch: Occurrence) -> RepositoryState:
    if fetch.digest is None:
        return state
    key, time = (fetch.tag or BY_DIGEST, fetch.digest), fetch.stamp.time
    count = state.pulls.get(key, PullCount())
    if meaning_of(fetch) is Meaning.PULLED:
        count = replace(count, pulls=count.pulls + 1, pulled_at=max(count.pulled_at or time, time))
    else:
        count = replace(count, checks=count.checks + 1, checked_at=max(count.checked_at or time, time))
    return replace(state, pulls={**state.pulls, key: count})


def _deleted_after(state: RepositoryState, digest: Digest | None, stamp: Stamp) -> bool:
    deletion = state.deletions.get(digest) if digest else None
    return deletion is not None and deletion > stamp


def _with_tag(state: RepositoryState, tag: Tag, written: TagState) -> RepositoryState:
    return replace(state, tags={**state.tags, tag: written})


def _with_manifest(state: RepositoryState, digest: Digest, written: ManifestState) -> RepositoryState:
    return replace(state, manifests={**state.manifests, digest: written})


def _changes(tag: Tag, before: TagState | None, after: TagState, cause: Occurrence) -> tuple[TagChange, ...]:
    previous = before.digest if before and before.present else None
    current = after.digest if after.present else None
    return () if previous == current else (TagChange(tag, current, previous, cause),)
