"""Tags, manifests and repositories are deleted: in the registry, and then in the index."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import structlog

from services.catalog.domain import throwaway
from services.catalog.domain.deletions import Method, TagPlace
from services.catalog.domain.errands import Errand
from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.domain.referrers import find_referrer_tag
from services.catalog.storage.begun_deletions import BegunDeletion, forget_begun, note_begun
from services.catalog.storage.deletion_queries import list_referrer_tags
from services.catalog.storage.loss_windows import open_window
from services.catalog.usecases.deletion_errors import (
    DeletionError,
    DeletionIncomplete,
    DeletionRefused,
    DeletionUnfinished,
    MoreLeadsToIt,
    ReferrersLeft,
    TagMoved,
)
from services.catalog.usecases.empty_repository import DeletionFailure, RepositoryEmptier
from services.catalog.usecases.finish_deletions import GRACE
from services.catalog.usecases.plan_deletion import plan_tag
from services.catalog.usecases.record_changes import deletion_of, new_errand, record_changes
from services.catalog.usecases.registry import (
    NotInRegistry,
    RawManifest,
    Registry,
    RegistryError,
    RegistryUnavailable,
    TagsNotDeletable,
    WritableRegistry,
)
from services.catalog.usecases.surroundings import WITHIN_A_REQUEST, LookLimits, Surroundings
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag

BUDGET_S = 15.0
"""So long the deletion of a repository goes on; what is left is for the next request."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ContentDeleter:
    """Deletes on somebody's behalf. Every method may be called again after it has failed.

    Args:
        registry: changed as the internal account.
        limits: how far is looked for what leads to a manifest.
        reader: by which is looked; ``None``: by the registry itself.
    """

    database: Database
    registry: WritableRegistry
    clock: Clock
    limits: LookLimits = WITHIN_A_REQUEST
    reader: Registry | None = None

    def surroundings_of(self, repository: RepositoryName) -> Surroundings:
        """Return what several deletions in one repository are to share, so that it is looked through once."""
        reader = self.reader or self.registry
        return Surroundings(repository, database=self.database, registry=reader, limits=self.limits)

    def delete_tag(
        self, actor: str, place: TagPlace, around: Surroundings | None = None, *, keep_referrers: bool = False
    ) -> Method:
        """Delete one tag, and nothing else that has a name of its own; return how.

        Args:
            around: of its repository, where more is deleted there.
            keep_referrers: when its manifest goes, leave the tags that are made of its digest.

        Raises:
            ReferrersLeft: it is gone, and not all that was about it.
            TagMoved: it is not where the caller saw it.
            DeletionRefused: the registry refuses; nothing has changed.
            RegistryUnavailable: the registry does not answer.
        """
        with _refusals_named():
            current = self._find_digest(place.repository, place.name)
            # Our own throw-away manifest is what an earlier deletion has left that broke off.
            if current not in (None, place.digest, throwaway.DIGEST):
                raise TagMoved
            around = around or self.surroundings_of(place.repository)
            if current == place.digest and self._goes_with_its_manifest(place, around):
                self._delete_manifest(actor, place.repository, place.digest, around, keep_referrers)
                return Method.DIGEST
            method = self._delete_alone(actor, place)
            around.forget_tag(place.name)
            return method

    def delete_manifest(
        self, actor: str, repository: RepositoryName, digest: Digest, *, keep_referrers: bool = False
    ) -> Method:
        """Delete a manifest with every tag on it that the index knows of.

        Args:
            keep_referrers: leave the tags that are made of its digest.

        Raises:
            ReferrersLeft: it is gone, and not all that was about it.
            MoreLeadsToIt: tags or indexes lead to it of which no notification came.
            DeletionRefused: the registry refuses; nothing has changed.
            RegistryUnavailable: the registry does not answer.
        """
        with _refusals_named():
            around = self.surroundings_of(repository)
            unheard = around.find_unheard(digest)
            if unheard.tags or unheard.indexes:
                self._have_compared(repository)
                raise MoreLeadsToIt(unheard.tags, unheard.indexes)
            self._delete_manifest(actor, repository, digest, around, keep_referrers)
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

    def _have_compared(self, repository: RepositoryName) -> None:
        """Let a worker read a repository soon: something that was pushed there has not been heard of."""
        now = self.clock()
        loss = Suspicion("", Reason.SILENT_PUSH, now, now, frozenset({repository}))
        with self.database.write() as connection:
            open_window(connection, loss, now=now)

    def _goes_with_its_manifest(self, place: TagPlace, around: Surroundings) -> bool:
        plan = plan_tag(place, database=self.database, deletes_tags=lambda _repository: True)
        if plan.method is not Method.DIGEST:
            return False
        found = around.find_holders(place.digest)
        return found.is_all and set(found.tags) <= {place.name} and not found.indexes

    def _delete_manifest(
        self, actor: str, repository: RepositoryName, digest: Digest, around: Surroundings, keep_referrers: bool
    ) -> None:
        with self.database.read() as connection:
            about = [] if keep_referrers else list_referrer_tags(connection, repository, digest)
        at, errand = self.clock(), new_errand(actor)
        with suppress(NotInRegistry):
            at = self.registry.delete_manifest(repository, digest, errand)
        deletion = deletion_of(repository, at, errand, digest=digest)
        record_changes([deletion], database=self.database, clock=self.clock)
        around.forget_manifest(digest)
        self._delete_referrers(actor, digest, about, around)

    def _delete_referrers(self, actor: str, digest: Digest, about: Sequence[TagPlace], around: Surroundings) -> None:
        """Delete the tags that were about a manifest that is gone: the registry would keep them for ever."""
        failures, gone, away = list[DeletionFailure](), {digest}, ""
        for place in about:
            if _subject_of(place) not in gone:
                # What this is about has another name in the registry, and stays.
                continue
            try:
                # Whoever does not answer is not asked for each of them; the manifest is gone whatever comes of it.
                if not away and self.delete_tag(actor, place, around, keep_referrers=True) is Method.DIGEST:
                    gone.add(place.digest)
                fault = away
            except DeletionError as refusal:
                fault = str(refusal)
            except RegistryUnavailable as silence:
                fault = away = str(silence)
            if fault:
                failures.append(DeletionFailure(fault, place.repository, place.name))
        if failures:
            raise ReferrersLeft(failures)

    def _delete_alone(self, actor: str, place: TagPlace) -> Method:
        method, at, errand = Method.TAG, self.clock(), new_errand(actor)
        try:
            at = self.registry.delete_tag(place.repository, place.name, errand)
        except NotInRegistry:
            log.info("deletion.tag_was_gone", repository=place.repository, tag=place.name)
        except TagsNotDeletable:
            method = Method.REPLACEMENT
            if place.name in self.registry.list_tags(place.repository).tags:
                at = self._replace(place, errand)
        deletion = deletion_of(place.repository, at, errand, tag=place.name)
        record_changes([deletion], database=self.database, clock=self.clock)
        if method is Method.REPLACEMENT:
            self._forget_begun(errand)
        return method

    def _replace(self, place: TagPlace, errand: Errand) -> datetime:
        """Put a throw-away manifest under a tag and delete that; what the tag pointed at stays."""
        before = self._find_manifest(place)
        with self.database.write() as connection:
            note_begun(connection, BegunDeletion(errand, place.repository, place.name), due_at=self.clock() + GRACE)
        self.registry.put_blob(place.repository, throwaway.CONFIG)
        self.registry.put_manifest(place.repository, place.name, throwaway.BODY, throwaway.MEDIA_TYPE, errand)
        try:
            return self.registry.delete_manifest(place.repository, throwaway.DIGEST, errand)
        except NotInRegistry:
            # The deletion of another tag took it away, with both tags.
            return self.clock()
        except RegistryError:
            if self._put_back(place, before):
                self._forget_begun(errand)
            raise

    def _forget_begun(self, errand: Errand) -> None:
        with self.database.write() as connection:
            forget_begun(connection, errand)

    def _find_manifest(self, place: TagPlace) -> RawManifest | None:
        try:
            found = self.registry.get_manifest(place.repository, place.name)
        except NotInRegistry:
            return None
        return found if found.digest != throwaway.DIGEST else None

    def _put_back(self, place: TagPlace, before: RawManifest | None) -> bool:
        if before and before.media_type:
            with suppress(RegistryError):
                # Whoever pushed it stays its author.
                errand = new_errand(None)
                self.registry.put_manifest(place.repository, place.name, before.body, before.media_type, errand)
                return True
        # It is noted as begun: a worker finishes it.
        log.warning("deletion.tag_left_replaced", repository=place.repository, tag=place.name)
        return False


def _subject_of(place: TagPlace) -> Digest | None:
    found = find_referrer_tag(place.name)
    return found.subject if found else None


@contextmanager
def _refusals_named() -> Iterator[None]:
    try:
        yield
    except RegistryUnavailable:
        raise
    except RegistryError as fault:
        raise DeletionRefused(str(fault)) from fault
