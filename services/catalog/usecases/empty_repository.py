"""A repository is emptied: every manifest goes in the registry, and then in the index.

The index follows what the registry has confirmed, digest by digest, so that it never tells of a
deletion that did not happen. Emptying may be broken off at any time and goes on at the next call.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import structlog

from services.catalog.domain.manifests import read_manifest
from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.contents import list_manifests_of
from services.catalog.storage.people import forget_words
from services.catalog.storage.repositories import lock_repositories
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.record_changes import deletion_of, new_errand, record_changes
from services.catalog.usecases.registry import (
    InvalidAnswer,
    NotInRegistry,
    RegistryError,
    WritableRegistry,
)
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeletionFailure:
    """What could not be deleted, and why."""

    reason: str
    repository: RepositoryName | None = None
    """``None``: all that was asked for."""
    tag: Tag | None = None
    """``None``: the repository as a whole, or a manifest without a tag."""


@dataclass(slots=True)
class Emptying:
    """What became of a repository so far."""

    actor: str
    """On whose behalf."""
    deletions: dict[Digest, Occurrence] = field(default_factory=dict)
    """Confirmed by the registry, or not there in the first place."""
    failures: list[DeletionFailure] = field(default_factory=list)
    is_over: bool = False
    """Whether everything was tried."""
    fault: RegistryError | None = None
    """Why the registry would refuse anything else too."""


class OutOfTime(Exception):
    """The time that was granted is over."""


@dataclass(frozen=True, slots=True)
class RepositoryEmptier:
    """Empties single repositories.

    Args:
        registry: deletes as the internal account.
    """

    database: Database
    registry: WritableRegistry
    clock: Clock

    def empty(self, repository: RepositoryName, *, actor: str, until_s: float) -> Emptying:
        """Delete every manifest of a repository that the index or a tag of the registry leads to.

        Args:
            actor: on whose behalf, for the index.
            until_s: by ``monotonic``; what is not tried by then is left for the next call.
        """
        done = Emptying(actor)
        try:
            for digest, tag in self._contents(repository):
                if monotonic() > until_s:
                    raise OutOfTime
                self._delete(repository, digest, tag, done)
            done.is_over = True
        except OutOfTime:
            log.info("deletion.out_of_time", repository=repository)
        except RegistryError as fault:
            done.fault = fault
            done.failures.append(DeletionFailure(str(fault), repository))
        record_changes(list(done.deletions.values()), database=self.database, clock=self.clock)
        if done.is_over and not done.failures:
            self._forget(repository)
        return done

    def _contents(self, repository: RepositoryName) -> Iterator[tuple[Digest, Tag | None]]:
        """Yield the manifests, an index before what it holds, each with one of its tags."""
        with self.database.read() as connection:
            tags = {digest: tag for tag, digest in list_present_tags(connection, repository).items()}
            known = list_manifests_of(connection, repository)
        yield from ((digest, tags.get(digest)) for digest in known)
        # What the index does not know: a notification that was lost.
        for tag in self.registry.list_tags(repository).tags:
            yield from ((digest, tag) for digest in self._under(repository, tag))

    def _under(self, repository: RepositoryName, tag: Tag) -> Sequence[Digest]:
        try:
            raw = self.registry.get_manifest(repository, tag)
        except NotInRegistry:
            # A tag that points at nothing: nobody can pull it, and nothing is left to delete.
            return ()
        return [raw.digest, *(child.digest for child in read_manifest(raw.body, raw.media_type).children)]

    def _delete(self, repository: RepositoryName, digest: Digest, tag: Tag | None, done: Emptying) -> None:
        if digest in done.deletions:
            return
        at, errand = self.clock(), new_errand(done.actor)
        try:
            with suppress(NotInRegistry):
                at = self.registry.delete_manifest(repository, digest, errand)
            done.deletions[digest] = deletion_of(repository, at, errand, digest=digest)
        except InvalidAnswer as fault:
            done.failures.append(DeletionFailure(str(fault), repository, tag))

    def _forget(self, repository: RepositoryName) -> None:
        # Whoever pushes to the name again begins anew, with nobody else's words beside it.
        with self.database.write() as connection:
            ids = lock_repositories(connection, [repository], now=self.clock())
            forget_words(connection, ids[repository])
