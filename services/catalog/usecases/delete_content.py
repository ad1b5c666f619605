"""Tags, manifests and repositories are deleted: in the registry, and then in the index."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import structlog

from services.catalog.domain import throwaway
from services.catalog.domain.deletions import Method, TagPlace
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.deletion_errors import (
    DeletionIncomplete,
    DeletionRefused,
    DeletionUnfinished,
    TagMoved,
)
from services.catalog.usecases.empty_repository import RepositoryEmptier
from services.catalog.usecases.plan_deletion import plan_tag
from services.catalog.usecases.record_changes import deletion_of, record_changes
from services.catalog.usecases.registry import (
    NotInRegistry,
    RawManifest,
    RegistryError,
    RegistryUnavailable,
    TagsNotDeletable,
    WritableRegistry,
)
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag

BUDGET_S = 15.0
"""So long the deletion of a repository goes on; what is left is for the next request."""

MAX_UNHEARD = 100
"""With more tags that the index does not know, a tag is deleted alone, and its manifest left."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ContentDeleter:
    """Deletes on somebody's behalf. Every method may be called again after it has failed.

    Args:
        registry: changed as the internal account.
    """

    database: Database
    registry: WritableRegistry
    clock: Clock

    def delete_tag(self, actor: str, place: TagPlace) -> Method:
        """Delete one tag, and nothing else that has a name; return how.

        Raises:
            TagMoved: it is not where the caller saw it.
            DeletionRefused: the registry refuses; nothing has changed.
            RegistryUnavailable: the registry does not answer.
        """
        with _refusals_named():
            current = self._find_digest(place.repository, place.name)
            # Our own throw-away manifest is what an earlier deletion has left that broke off.
            if current not in (None, place.digest, throwaway.DIGEST):
                raise TagMoved
            if current == place.digest and self._goes_with_its_manifest(place):
                self._delete_manifest(actor, place.repository, place.digest)
                return Method.DIGEST
            return self._delete_alone(actor, place)

    def delete_manifest(self, actor: str, repository: RepositoryName, digest: Digest) -> Method:
        """Delete a manifest with every tag on it.

        Raises:
            DeletionRefused: the registry refuses; nothing has changed.
            RegistryUnavailable: the registry does not answer.
        """
        with _refusals_named():
            self._delete_manifest(actor, repository, digest)
        return Method.DIGEST

    def delete_repository(self, actor: str, repository: RepositoryName, *, budget_s: float = BUDGET_S) -> Method:
        """Delete everything in a repository.

        Raises:
            DeletionRefused: the registry refuses; nothing has changed.
            DeletionIncomplete: it refuses some of it.
            DeletionUnfinished: there was not time for all of it.
            RegistryUnavailable: the registry does not answer.
        """
        emptier = RepositoryEmptier(self.database, self.registry, self.clock)
        done = emptier.empty(repository, actor=actor, until_s=monotonic() + budget_s)
        if isinstance(done.fault, RegistryUnavailable):
            raise done.fault
        if done.failures and not done.deletions:
            raise DeletionRefused(done.failures[0].reason)
        if done.failures:
            raise DeletionIncomplete(done.failures)
        if not done.is_over:
            raise DeletionUnfinished
        return Method.REPOSITORY

    def _find_digest(self, repository: RepositoryName, tag: Tag) -> Digest | None:
        try:
            return self.registry.find_digest(repository, tag)
        except NotInRegistry:
            return None

    def _goes_with_its_manifest(self, place: TagPlace) -> bool:
        plan = plan_tag(place, database=self.database, deletes_tags=lambda _repository: True)
        return plan.method is Method.DIGEST and not self._is_shared_unheard(place)

    def _is_shared_unheard(self, place: TagPlace) -> bool:
        """Tell whether a tag of which no notification has come may be on the digest."""
        with self.database.read() as connection:
            known = list_present_tags(connection, place.repository).keys()
        unheard = set(self.registry.list_tags(place.repository).tags) - known
        if len(unheard) > MAX_UNHEARD:
            return True
        return any(self._find_digest(place.repository, tag) == place.digest for tag in sorted(unheard))

    def _delete_manifest(self, actor: str, repository: RepositoryName, digest: Digest) -> None:
        at = self.clock()
        with suppress(NotInRegistry):
            at = self.registry.delete_manifest(repository, digest)
        deletion = deletion_of(repository, at, actor, digest=digest)
        record_changes([deletion], database=self.database, clock=self.clock)

    def _delete_alone(self, actor: str, place: TagPlace) -> Method:
        method, at = Method.TAG, self.clock()
        try:
            at = self.registry.delete_tag(place.repository, place.name)
        except NotInRegistry:
            log.info("deletion.tag_was_gone", repository=place.repository, tag=place.name)
        except TagsNotDeletable:
            method = Method.REPLACEMENT
            if place.name in self.registry.list_tags(place.repository).tags:
                at = self._replace(place)
        deletion = deletion_of(place.repository, at, actor, tag=place.name)
        record_changes([deletion], database=self.database, clock=self.clock)
        return method

    def _replace(self, place: TagPlace) -> datetime:
        """Put a throw-away manifest under a tag and delete that; what the tag pointed at stays."""
        before = self._find_manifest(place)
        self.registry.put_blob(place.repository, throwaway.CONFIG)
        self.registry.put_manifest(place.repository, place.name, throwaway.BODY, throwaway.MEDIA_TYPE)
        try:
            return self.registry.delete_manifest(place.repository, throwaway.DIGEST)
        except NotInRegistry:
            # The deletion of another tag took it away, with both tags.
            return self.clock()
        except RegistryError:
            self._put_back(place, before)
            raise

    def _find_manifest(self, place: TagPlace) -> RawManifest | None:
        try:
            found = self.registry.get_manifest(place.repository, place.name)
        except NotInRegistry:
            return None
        return found if found.digest != throwaway.DIGEST else None

    def _put_back(self, place: TagPlace, before: RawManifest | None) -> None:
        if before and before.media_type:
            with suppress(RegistryError):
                self.registry.put_manifest(place.repository, place.name, before.body, before.media_type)
                return
        log.error("deletion.tag_left_replaced", repository=place.repository, tag=place.name)


@contextmanager
def _refusals_named() -> Iterator[None]:
    try:
        yield
    except RegistryUnavailable:
        raise
    except RegistryError as fault:
        raise DeletionRefused(str(fault)) from fault
