"""An earlier manifest comes back under a tag, as long as the registry still has what it is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from services.catalog.domain.immutability import Immutable, find_former, find_rule
from services.catalog.domain.manifests import read_manifest
from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.deletion_queries import holds_manifest
from services.catalog.storage.immutability import list_moves_of, load_rules
from services.catalog.storage.manifest_queries import KeptManifest, find_kept
from services.catalog.storage.manifests import MAX_NESTING
from services.catalog.storage.repository_queries import RepositoryRow, find_repository
from services.catalog.storage.tag_history import has_held
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.not_found import ManifestNotFound, RepositoryNotFound
from services.catalog.usecases.record_changes import new_errand, push_of, record_changes
from services.catalog.usecases.registry import InvalidAnswer, NotInRegistry, WritableRegistry
from services.catalog.usecases.rights import FindPermissions, actor_of, require
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Visibility

MAX_NAMED = 100

log = structlog.get_logger(__name__)


class PartsMissing(Exception):
    """The registry no longer has what the manifest is made of."""

    def __init__(self, missing: Sequence[Digest]) -> None:
        super().__init__("It cannot be restored: the registry no longer has all that it is made of.")
        self.errors = {"missing": list(missing[:MAX_NAMED])}


class TagMustNotMove(Exception):
    """A rule says that the tag must not move, and the digest is not where it was before somebody moved it."""

    def __init__(self, rule: Immutable, tag: Tag) -> None:
        super().__init__(
            f"The tag {tag} must not move: rule {rule.id} ({', '.join(rule.tags)}) says so. "
            "It can only be put back where it was before somebody moved it."
        )


@dataclass(frozen=True, slots=True)
class TagRestorer:
    """Puts manifests under tags, on somebody's behalf.

    Args:
        registry: changed as the internal account.
    """

    database: Database
    registry: WritableRegistry
    clock: Clock

    def restore(
        self, visibility: Visibility, permissions: FindPermissions, repository: int, tag: Tag, digest: Digest
    ) -> Sequence[Digest]:
        """Put a manifest that lies or lay in a repository under a tag; return what had to be put for it.

        The manifests of an index that are gone are put back with it.

        Raises:
            RepositoryNotFound, ManifestNotFound: there is no such thing, or not for the caller.
            NotAllowed: the caller may not push there.
            TagMustNotMove: see above.
            PartsMissing: the registry no longer has what it is made of.
            RegistryError: it does not answer, or refuses for another reason.
        """
        name = RepositoryName(self._find(visibility, repository, digest).full_name)
        require(permissions, name, "push")
        self._require_that_it_may_move(name, tag, digest)
        return self.put(name, repository, tag, digest, actor=actor_of(visibility))

    def put(self, name: RepositoryName, repository: int, tag: Tag, digest: Digest, *, actor: str) -> Sequence[Digest]:
        """Put a manifest under a tag, whoever wants it; return what had to be put for it.

        Raises:
            PartsMissing, RegistryError: as above.
        """
        wanted = self._manifests(name, repository, digest)
        made = list[Occurrence]()
        try:
            for kept in wanted:
                made.append(self._put(name, kept, tag if kept.digest == digest else None, actor))
        except InvalidAnswer:
            if missing := [one for kept in wanted for one in self._missing(name, kept)]:
                raise PartsMissing(missing) from None
            raise
        finally:
            record_changes(made, database=self.database, clock=self.clock)
        return [kept.digest for kept in wanted]

    def _find(self, visibility: Visibility, repository: int, digest: Digest) -> RepositoryRow:
        with self.database.read() as connection:
            row = find_repository(connection, visibility, repository, or_empty=True)
            if row is None:
                raise RepositoryNotFound
            if not (holds_manifest(connection, repository, digest) or has_held(connection, repository, digest)):
                raise ManifestNotFound
        return row

    def _require_that_it_may_move(self, name: RepositoryName, tag: Tag, digest: Digest) -> None:
        with self.database.read() as connection:
            rule = find_rule(load_rules(connection), name, tag)
            current = list_present_tags(connection, name, [tag]).get(tag)
            if rule is None or current in (None, digest):
                return
            if digest not in find_former(list_moves_of(connection, name, tag), current):
                raise TagMustNotMove(rule, tag)

    def _manifests(self, name: RepositoryName, repository: int, digest: Digest) -> Sequence[KeptManifest]:
        """Return what has to be put: what an index holds and the registry has no longer, and then itself."""
        with self.database.read() as connection:
            gone = list(dict.fromkeys(self._gone(connection, repository, digest, MAX_NESTING)))
            kept = {one: find_kept(connection, one) for one in (*gone, digest)}
        found = {one: manifest or self._fetch(name, one) for one, manifest in kept.items()}
        if missing := [one for one, manifest in found.items() if manifest is None]:
            raise PartsMissing(missing)
        return [manifest for manifest in found.values() if manifest]

    def _gone(self, connection: Connection, repository: int, digest: Digest, depth: int) -> Iterator[Digest]:
        kept = find_kept(connection, digest) if depth else None
        for child in read_manifest(kept.body, kept.media_type).children if kept else ():
            yield from self._gone(connection, repository, child.digest, depth - 1)
            if not holds_manifest(connection, repository, child.digest):
                yield child.digest

    def _fetch(self, name: RepositoryName, digest: Digest) -> KeptManifest | None:
        try:
            raw = self.registry.get_manifest(name, digest)
        except NotInRegistry:
            return None
        return KeptManifest(raw.digest, raw.body, raw.media_type) if raw.media_type else None

    def _put(self, name: RepositoryName, kept: KeptManifest, tag: Tag | None, actor: str) -> Occurrence:
        errand = new_errand(actor)
        at = self.registry.put_manifest(name, tag or kept.digest, kept.body, kept.media_type, errand)
        log.info("manifest.restored", repository=name, digest=kept.digest, tag=tag, actor=actor)
        return push_of(name, at, errand, kept.digest, kept.media_type, tag=tag)

    def _missing(self, name: RepositoryName, kept: KeptManifest) -> Iterator[Digest]:
        manifest = read_manifest(kept.body, kept.media_type)
        parts = [*([manifest.config] if manifest.config else []), *manifest.layers]
        yield from (part.digest for part in parts if not self.registry.has_blob(name, part.digest))
