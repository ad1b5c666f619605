"""A registry that is not asked more often than it should be."""

from collections.abc import Iterator
from threading import Event
from typing import Protocol

from services.catalog.usecases.registry import RawManifest, Registry, TagList
from shared.oci.names import Digest, RepositoryName, Tag


class Pace(Protocol):
    """Tells each caller how long to wait."""

    def next_pause(self) -> float:
        """Take a place and return in how many seconds it is there."""


class PacedRegistry:
    """A registry, each request to which waits for its place.

    Args:
        stop: when set, nobody waits.
    """

    def __init__(self, registry: Registry, pace: Pace, stop: Event) -> None:
        self._registry = registry
        self._pace = pace
        self._stop = stop

    def get_manifest(self, repository: RepositoryName, reference: str) -> RawManifest:
        """Return the manifest under a tag or digest."""
        self._wait()
        return self._registry.get_manifest(repository, reference)

    def find_digest(self, repository: RepositoryName, reference: Tag | Digest) -> Digest:
        """Return where a tag points, or a digest that is there, without the manifest."""
        self._wait()
        return self._registry.find_digest(repository, reference)

    def get_blob(self, repository: RepositoryName, digest: Digest, *, max_bytes: int) -> bytes:
        """Return a blob, checked against its digest."""
        self._wait()
        return self._registry.get_blob(repository, digest, max_bytes=max_bytes)

    def list_repositories(self, *, after: str = "") -> Iterator[RepositoryName]:
        """Walk the catalogue, from behind a name in the registry's own order."""
        self._wait()
        return self._registry.list_repositories(after=after)

    def list_tags(self, repository: RepositoryName) -> TagList:
        """Return every tag of a repository; one that is empty or gone has none."""
        self._wait()
        return self._registry.list_tags(repository)

    def _wait(self) -> None:
        self._stop.wait(self._pace.next_pause())
