"""The registry as the use cases see it, and the ways in which a call to it fails.

RegistryError              a call that did not succeed
├── RegistryUnavailable    no answer in time, or an error of the registry's own: ask again later
├── RegistryRefused        it does not accept our token: somebody must change a configuration
│   ├── DeletionDisabled   it deletes nothing: somebody must change its configuration
│   └── TagsNotDeletable   it deletes digests, and no tag alone
├── NotInRegistry          it has no such repository, manifest or blob
└── InvalidAnswer          it answered what cannot be right (a wrong digest, no JSON)
    └── TooLarge           more bytes than we are willing to read
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.catalog.domain.errands import Errand
from shared.oci.names import Digest, RepositoryName, Tag


class RegistryError(Exception):
    """The call did not succeed; the text says what was asked and never holds a secret."""


class RegistryUnavailable(RegistryError):
    """No answer in time, or an error of the registry's own."""


class RegistryRefused(RegistryError):
    """The registry does not accept our token; its log line says what to change."""


class DeletionDisabled(RegistryRefused):
    """The registry deletes nothing (405)."""

    def __init__(self) -> None:
        super().__init__("the registry deletes nothing: storage.delete.enabled must be true in its configuration")


class TagsNotDeletable(RegistryRefused):
    """The registry can delete a digest with all its tags, and no tag alone (2.8)."""

    def __init__(self) -> None:
        super().__init__("the registry deletes no tag alone")


class NotInRegistry(RegistryError):
    """The registry has no such thing.

    Args:
        seen_at: the registry's clock when it said so, where it told.
    """

    def __init__(self, text: str = "", *, seen_at: datetime | None = None) -> None:
        super().__init__(text)
        self.seen_at = seen_at


class InvalidAnswer(RegistryError):
    """The answer is not what was asked for."""


class TooLarge(InvalidAnswer):
    """The answer has more bytes than its kind may have.

    Args:
        digest: of a manifest: the one that was asked for, or that the registry named.
        media_type: of a manifest.
    """

    def __init__(self, message: str, *, digest: Digest | None = None, media_type: str | None = None) -> None:
        super().__init__(message)
        self.digest = digest
        self.media_type = media_type


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest as it came, its bytes checked against its digest."""

    digest: Digest
    media_type: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a repository at one moment."""

    tags: Sequence[Tag]
    seen_at: datetime
    """The registry's own clock, to the second: the one that stamps its notifications."""


class Registry(Protocol):
    """Reading a registry. Every method raises ``RegistryError``."""

    def get_manifest(self, repository: RepositoryName, reference: str) -> RawManifest:
        """Return the manifest under a tag or digest."""

    def find_digest(self, repository: RepositoryName, reference: Tag | Digest) -> Digest:
        """Return where a tag points, or a digest that is there, without the manifest."""

    def get_blob(self, repository: RepositoryName, digest: Digest, *, max_bytes: int) -> bytes:
        """Return a blob, checked against its digest."""

    def list_repositories(self, *, after: str = "") -> Iterator[RepositoryName]:
        """Walk the catalogue, from behind a name in the registry's own order."""

    def list_tags(self, repository: RepositoryName) -> TagList:
        """Return every tag of a repository; one that is empty or gone has none."""


class WritableRegistry(Registry, Protocol):
    """A registry that we may change. Every method raises ``RegistryError``.

    What changes a manifest or a tag says whose errand it is, so that the registry's notification says it, too.
    """

    def delete_manifest(self, repository: RepositoryName, digest: Digest, errand: Errand) -> datetime:
        """Delete a manifest with every tag on it; return when, by the registry's clock."""

    def delete_tag(self, repository: RepositoryName, tag: Tag, errand: Errand) -> datetime:
        """Delete a tag alone, where the registry can; return when, by its clock."""

    def put_manifest(
        self, repository: RepositoryName, reference: str, body: bytes, media_type: str, errand: Errand
    ) -> datetime:
        """Put a manifest under a tag or its digest; return when, by its clock."""

    def put_blob(self, repository: RepositoryName, body: bytes) -> Digest:
        """Put a small blob."""

    def has_blob(self, repository: RepositoryName, digest: Digest) -> bool:
        """Tell whether a blob is there."""

    def deletes_tags(self, repository: RepositoryName) -> bool:
        """Tell whether the registry can delete a tag alone, at the price of one request that deletes nothing."""
