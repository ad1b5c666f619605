"""What the registry itself says leads to a manifest, before that is deleted by its digest.

The index may be behind: a tag has moved, or an index was pushed, and no notification came; or one came, and
the manifest was not read yet. A registry deletes a digest whatever leads to it, so every tag of the repository
is asked for where it points, and what may be an index and was not read is read. What changes between this look
and the deletion, and an index without a tag of which nothing was heard, cannot be seen.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import structlog

from services.catalog.domain.manifests import read_manifest
from services.catalog.storage.deletion_queries import find_unread, list_unread_in
from services.catalog.storage.manifests import MAX_NESTING, list_containing
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.registry import NotInRegistry, Registry, RegistryError, RegistryUnavailable
from shared.database import Database
from shared.oci.media_types import INDEXES
from shared.oci.names import Digest, RepositoryName, Tag

MAX_UNREAD = 100
"""So many manifests that were not read yet are read for one look."""

MAX_UNANSWERED = 5
"""After so many questions in a row without a proper answer no more are asked."""

REST = 10
"""So many times as long as a look took, its answers count."""

THREADS = 8

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LookLimits:
    """How far a look goes; what is beyond it is not known, and a tag is deleted alone then."""

    max_tags: int = 1000
    """With more tags in the repository none of them is looked at."""
    budget_s: float = 10.0
    max_age_s: float = 60.0
    """After so long is asked what tags are new; after ten times as long as the look took, all is looked at again."""


WITHIN_A_REQUEST = LookLimits()


@dataclass(frozen=True, slots=True)
class Holders:
    """What leads to a manifest in a repository."""

    tags: Collection[Tag] = ()
    """On it, or on an index that holds it at any depth."""
    indexes: Collection[Digest] = ()
    """Indexes that hold it and that our own index has not read."""
    is_all: bool = True
    """Whether there can be no others."""


class Surroundings:
    """The tags of one repository as the registry has them, read when they are asked for first, and when that is old.

    Whoever deletes there says so, and need not look again.
    """

    def __init__(
        self, repository: RepositoryName, *, database: Database, registry: Registry, limits: LookLimits
    ) -> None:
        self._repository = repository
        self._database = database
        self._registry = registry
        self._limits = limits
        self._is_seen = False
        self._until_s = 0.0
        self._began_s = self._ended_s = self._listed_s = 0.0
        self._tags: dict[Tag, Digest] = {}
        self._children: dict[Digest, set[Digest]] = {}
        """What those hold that the index has not read."""
        self._is_whole = True
        self._is_too_large = False
        self._is_over = False
        self._unanswered = 0
        self._silence: RegistryUnavailable | None = None

    @property
    def is_too_large(self) -> bool:
        """Whether there are more tags than are looked at."""
        return self._is_too_large

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out of what was looked at."""
        return self._is_whole

    def find_holders(self, digest: Digest) -> Holders:
        """Return what leads to a manifest.

        Raises:
            RegistryUnavailable: the registry does not answer at all; one tag without an answer is only not known.
        """
        self._look_once()
        containing = self._list_containing(digest)
        return Holders(
            tags=sorted(tag for tag, target in self._tags.items() if target in containing),
            indexes=sorted(one for one in self._children if one in containing and one != digest),
            is_all=self._is_whole,
        )

    def find_unheard(self, digest: Digest) -> Holders:
        """Return what leads to a manifest without the index knowing it; the error is as above."""
        found = self.find_holders(digest)
        with self._database.read() as connection:
            known = list_present_tags(connection, self._repository, found.tags)
        read = known.values() - self._children.keys() | {digest}
        unheard = [tag for tag in found.tags if known.get(tag) != self._tags[tag] or self._tags[tag] not in read]
        return Holders(unheard, found.indexes, found.is_all)

    def forget_tag(self, tag: Tag) -> None:
        """Take note that a tag was deleted alone."""
        self._tags.pop(tag, None)

    def forget_manifest(self, digest: Digest) -> None:
        """Take note that a manifest was deleted, with every tag on it."""
        self._tags = {tag: target for tag, target in self._tags.items() if target != digest}
        self._children.pop(digest, None)

    def _look_once(self) -> None:
        if not self._is_seen or self._is_older_than(self._ended_s, REST * (self._ended_s - self._began_s)):
            self._look()
        elif self._is_whole and self._is_older_than(self._listed_s, 0):
            self._look_at_new()

    def _is_older_than(self, since_s: float, least_s: float) -> bool:
        return monotonic() - since_s > max(least_s, self._limits.max_age_s)

    def _look(self) -> None:
        self._is_seen = False
        self._begin()
        self._began_s = monotonic()
        tags = self._registry.list_tags(self._repository).tags
        self._listed_s = monotonic()
        self._is_too_large = len(tags) > self._limits.max_tags
        if self._is_too_large:
            self._is_whole = False
        else:
            self._find_targets(tags)
            self._read_unread()
        if self._silence:
            self._require_answer()
        if not self._is_whole:
            log.info("deletion.not_all_seen", repository=self._repository, tags=len(tags))
        self._ended_s = monotonic()
        self._is_seen = True

    def _look_at_new(self) -> None:
        """Look at the tags that were not there before."""
        self._until_s = monotonic() + self._limits.budget_s
        tags = self._registry.list_tags(self._repository).tags
        self._find_targets([tag for tag in tags if tag not in self._tags])
        self._read_unread()
        if self._silence:
            self._require_answer()
        self._listed_s = monotonic()

    def _begin(self) -> None:
        self._until_s = monotonic() + self._limits.budget_s
        self._tags, self._children = {}, {}
        self._is_whole, self._is_over, self._unanswered, self._silence = True, False, 0, None

    def _require_answer(self) -> None:
        """Tell a registry that has ended from one that cannot say something about one tag."""
        log.warning("deletion.not_answered", repository=self._repository, fault=str(self._silence))
        self._registry.list_tags(self._repository)

    def _find_targets(self, tags: Collection[Tag]) -> None:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="look") as pool:
            for tag, target in zip(tags, pool.map(self._find_target, tags), strict=True):
                if target:
                    self._tags[tag] = target

    def _find_target(self, tag: Tag) -> Digest | None:
        return self._ask(lambda: self._registry.find_digest(self._repository, tag))

    def _read_unread(self) -> None:
        with self._database.read() as connection:
            fresh = list_unread_in(connection, self._repository, limit=MAX_UNREAD + 1)
            fresh |= find_unread(connection, set(self._tags.values()))
        fresh -= self._children.keys()
        for _ in range(MAX_NESTING):
            if len(fresh) + len(self._children) > MAX_UNREAD:
                self._is_whole = False
                return
            listed = {child for digest in fresh for child in self._read(digest)}
            with self._database.read() as connection:
                fresh = find_unread(connection, listed) - self._children.keys()

    def _read(self, digest: Digest) -> Iterator[Digest]:
        """Read what was not read, keep what it holds, and yield what of that may hold more."""
        raw = self._ask(lambda: self._registry.get_manifest(self._repository, digest))
        if raw is None:
            return
        manifest = read_manifest(raw.body, raw.media_type)
        if not manifest.readable and manifest.media_type in INDEXES:
            self._is_whole = False
        self._children[digest] = {child.digest for child in manifest.children}
        yield from (child.digest for child in manifest.children if child.media_type in (None, *INDEXES))

    def _ask(self, question: Callable[[], Answer]) -> Answer | None:
        """Return an answer, or ``None``: there is no such thing, or it is not known."""
        # Several threads come here; what they set is never set back but by the next look.
        if self._is_over or monotonic() > self._until_s:
            self._is_whole = False
            return None
        try:
            answer = question()
        except NotInRegistry:
            return None
        except RegistryError as fault:
            # The others are looked at all the same: the more is known, the more is kept.
            self._is_whole = False
            self._note_unanswered(fault)
            return None
        self._unanswered = 0
        return answer

    def _note_unanswered(self, fault: RegistryError) -> None:
        if isinstance(fault, RegistryUnavailable):
            self._silence = fault
        self._unanswered += 1
        self._is_over = self._is_over or self._unanswered >= MAX_UNANSWERED

    def _list_containing(self, digest: Digest) -> set[Digest]:
        found = {digest}
        for _ in range(MAX_NESTING):
            with self._database.read() as connection:
                more = list_containing(connection, found)
            more |= {parent for parent, children in self._children.items() if children & more}
            if more == found:
                break
            found = more
        return found
