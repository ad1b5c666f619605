"""One thing that happened in a registry, and what it means for the index.

Source: distribution "Notifications"; the table of events that 2.8 and 3.x really send is quoted
rule by rule below.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from services.catalog.domain import throwaway
from services.catalog.domain.errands import OWN_EVENT_PREFIX
from shared.oci.media_types import OCTET_STREAM
from shared.oci.names import Digest, RepositoryName, Tag

SERVICE_ACCOUNT = "portus"
"""The actor of our own reads and changes, which are never counted; of a change also where nobody wanted it."""


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """The place of a write in the order of all writes: the registry's clock, then the event's id.

    Events arrive in any order (several registry processes, redeliveries), so "last" means the
    greatest stamp, never the last to arrive.
    """

    time: datetime
    id: str
    """Empty for what a crawl saw: an event of the same moment comes after it."""

    @property
    def is_own(self) -> bool:
        """Whether it is of something that we have done ourselves."""
        return self.id.startswith(OWN_EVENT_PREFIX)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A registry's notification, read and checked."""

    stamp: Stamp
    action: str
    repository: RepositoryName
    digest: Digest | None = None
    tag: Tag | None = None
    media_type: str | None = None
    method: str | None = None
    """HTTP verb of the client's request."""
    actor: str | None = None
    """Who wanted it; of what we did on somebody's behalf that person."""

    @property
    def is_ours(self) -> bool:
        """Whether we did it, on whosever behalf."""
        return self.stamp.is_own or self.actor == SERVICE_ACCOUNT

    @property
    def author(self) -> str | None:
        """Who is named for it; nobody where all that is known is that we did it."""
        return None if self.actor == SERVICE_ACCOUNT else self.actor


class Meaning(Enum):
    """What an occurrence is to the index."""

    TAG_PUSHED = auto()
    MANIFEST_PUSHED = auto()
    """A manifest came without a tag: a child of an index, a referrer."""
    PULLED = auto()
    CHECKED = auto()
    """Somebody asked whether a manifest is there; containerd does so before each pull."""
    TAG_DELETED = auto()
    MANIFEST_DELETED = auto()
    NOTHING = auto()


def meaning_of(occurrence: Occurrence) -> Meaning:
    """Tell what an occurrence means; what we do not understand means nothing."""
    # Blobs are reported as octet streams; only a delete names no media type at all.
    if occurrence.media_type == OCTET_STREAM:
        return Meaning.NOTHING
    match occurrence.action:
        case "push":
            return _push(occurrence)
        case "pull":
            return _pull(occurrence)
        case "delete":
            return _delete(occurrence)
        case _:
            return Meaning.NOTHING


def _push(occurrence: Occurrence) -> Meaning:
    if occurrence.digest is None:
        return Meaning.NOTHING
    # The throw-away manifests of our deletions are no news: that the tag goes is told by what follows.
    if occurrence.digest == throwaway.DIGEST:
        return Meaning.NOTHING
    if occurrence.tag:
        return Meaning.TAG_PUSHED
    return Meaning.MANIFEST_PUSHED if occurrence.media_type else Meaning.NOTHING


def _pull(occurrence: Occurrence) -> Meaning:
    if occurrence.digest is None or occurrence.actor == SERVICE_ACCOUNT:
        return Meaning.NOTHING
    return {"GET": Meaning.PULLED, "HEAD": Meaning.CHECKED}.get(occurrence.method or "", Meaning.NOTHING)


def _delete(occurrence: Occurrence) -> Meaning:
    # By digest 2.8 and 3.x send one event with the digest and one per tag; by tag 3.x sends the tag
    # alone. A deleted blob looks like a deleted manifest: no tag points at it, so nothing comes of it.
    if occurrence.tag:
        return Meaning.TAG_DELETED
    if occurrence.digest in (None, throwaway.DIGEST):
        return Meaning.NOTHING
    return Meaning.MANIFEST_DELETED
