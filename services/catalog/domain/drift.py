"""Differences between the index and the registry: what each is called, where it may come from, what helps.

The registry's present state is the truth. A difference that can be put right is put right; one that would
take something out of the index is only told, until it has been seen twice and removing was asked for.
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.oci.names import Digest, RepositoryName, Tag


class Kind(StrEnum):
    """In what index and registry differ."""

    MISSING_TAG = "missing_tag"
    """The registry has it, the index had not."""
    PHANTOM_TAG = "phantom_tag"
    """The index has it, the registry neither lists nor serves it."""
    DIGEST_DIFFERS = "digest_differs"
    """Both have the tag, and it pointed elsewhere in the index."""
    DANGLING_TAG = "dangling_tag"
    """The registry lists it, and has no manifest for it."""
    GHOST_REPOSITORY = "ghost_repository"
    """The registry's catalogue has it, and there is nothing in it."""
    UNLISTED_REPOSITORY = "unlisted_repository"
    """It has tags that can be pulled, and the registry's catalogue does not name it."""
    ORPHAN_NAMESPACE = "orphan_namespace"
    """There are images in it, and nobody has made it."""
    UNVERIFIED_REPOSITORY = "unverified_repository"
    """A look at every tag of it was due and failed."""


class State(StrEnum):
    """What became of a difference."""

    OPEN = "open"
    """It is there, and somebody may have to do something."""
    REPAIRED = "repaired"
    """The index was put right."""
    REMOVED = "removed"
    """The index let go of what the registry does not have."""
    RESOLVED = "resolved"
    """A later round did not find it any more."""


class Cause(StrEnum):
    """Where a difference probably comes from."""

    LOST_EVENTS = "lost_events"
    BEHIND_OUR_BACK = "behind_our_back"
    EMPTIED = "emptied"
    STORAGE_CHANGED = "storage_changed"
    CATALOG_LAGS = "catalog_lags"
    NO_OWNER = "no_owner"
    UNREADABLE = "unreadable"


_TEXTS = {
    Cause.LOST_EVENTS: "Events of the registry were lost at that time.",
    Cause.BEHIND_OUR_BACK: "The registry was changed and told nobody: its notifications do not reach Portus, "
    "its storage was changed or restored, or it was used while they were switched off.",
    Cause.EMPTIED: "Its tags were deleted; a registry keeps the empty repository in its catalogue.",
    Cause.STORAGE_CHANGED: "The manifest went from the registry's storage and its tag stayed: a garbage collection "
    "that deleted untagged manifests, or a deletion by hand. Or Portus was interrupted while it deleted the tag.",
    Cause.CATALOG_LAGS: "The registry's catalogue is behind, or its page was cut off.",
    Cause.NO_OWNER: "Its images were pushed before Portus came, or past it.",
    Cause.UNREADABLE: "The registry does not answer for it, or for one of its tags, or its answer cannot be right.",
}

_REMEDIES = {
    Kind.MISSING_TAG: "None: it is in the index now.",
    Kind.DIGEST_DIFFERS: "None: the index says where it points now.",
    Kind.PHANTOM_TAG: "Set PORTUS_CRAWL_STRATEGY=update-delete to let go of it at the next round, or push it again.",
    Kind.DANGLING_TAG: "Push the image again, or delete the tag.",
    Kind.GHOST_REPOSITORY: "None is needed; its folder can be deleted in the registry's storage.",
    Kind.UNLISTED_REPOSITORY: "None is needed; see whether the registry's catalogue is complete.",
    Kind.ORPHAN_NAMESPACE: "An administrator makes the namespace for a team.",
    Kind.UNVERIFIED_REPOSITORY: "See the registry's log, and that of the catalog's worker; then ask for a full crawl, "
    "or wait for its next turn.",
}

PUT_RIGHT = frozenset({Kind.MISSING_TAG, Kind.DIGEST_DIFFERS})
"""What a round repairs when it sees it."""

LEFT_BY_LOSSES = frozenset({Kind.PHANTOM_TAG, Kind.DANGLING_TAG})
"""What lost events may have left in the index, and a look at the registry does not put right."""

SEEN_BY_DIGEST = frozenset({Kind.DIGEST_DIFFERS, Kind.DANGLING_TAG})
"""What only a look at every tag finds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference that a round has found."""

    kind: Kind
    repository: RepositoryName | None
    """``None`` for a namespace."""
    tag: Tag | None = None
    indexed: Digest | None = None
    """Where it pointed in the index."""
    found: Digest | None = None
    """Where it points in the registry."""
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Where is told what was put right."""

    crawl: int | None
    """The crawl that has found it; ``None``: it was found in what was read after a loss."""


def probable_cause(kind: Kind, *, events_lost: bool) -> Cause:
    """Tell where a difference probably comes from.

    Args:
        events_lost: whether events about the repository may have been lost since it was right.
    """
    match kind:
        case Kind.GHOST_REPOSITORY:
            return Cause.EMPTIED
        case Kind.DANGLING_TAG:
            return Cause.STORAGE_CHANGED
        case Kind.UNLISTED_REPOSITORY:
            return Cause.CATALOG_LAGS
        case Kind.ORPHAN_NAMESPACE:
            return Cause.NO_OWNER
        case Kind.UNVERIFIED_REPOSITORY:
            return Cause.UNREADABLE
        case _:
            return Cause.LOST_EVENTS if events_lost else Cause.BEHIND_OUR_BACK


def explain_cause(cause: Cause) -> str:
    """Return a sentence about a cause."""
    return _TEXTS[cause]


def remedy_of(kind: Kind, state: State) -> str:
    """Return what can be done about a difference, or that nothing needs to."""
    return _REMEDIES[kind] if state is State.OPEN else "None: it is over."
