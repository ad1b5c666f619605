"""Fetching manifests from the registry: a few at a time, never for longer than was said."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import monotonic

import structlog

from services.catalog.domain.manifests import (
    MAX_CONFIG_BYTES,
    FetchedManifest,
    Manifest,
    read_manifest,
    read_platform,
)
from services.catalog.storage.pending import Key
from services.catalog.usecases.registry import (
    InvalidAnswer,
    NotInRegistry,
    Registry,
    RegistryError,
    TooLarge,
)
from shared.oci.names import Digest, RepositoryName

MAX_PER_ROUND = 100
"""Manifests held in memory at once; what is more waits for the next time."""

MAX_ROUNDS = 3
"""An index, its children, and the children of an index in an index."""

THREADS = 8

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class FetchResult:
    """What came and what did not."""

    fetched: dict[Digest, FetchedManifest] = field(default_factory=dict)
    missing: dict[Key, RegistryError | None] = field(default_factory=dict)
    """Why; ``None`` when there was no time left."""


@dataclass(slots=True)
class LookResult:
    """Which manifests lie in their repositories, and which do not, as far as the registry says."""

    lying: set[Key] = field(default_factory=set)
    missing: dict[Key, RegistryError | None] = field(default_factory=dict)
    """Why; ``None`` when there was no time left."""


class ManifestFetcher:
    """Fetches manifests, with the children of indexes, on a few threads of its own.

    Args:
        registry: read by all threads at once.
        list_known: returns which of some digests need not be fetched.
    """

    def __init__(self, registry: Registry, list_known: Callable[[Collection[Digest]], set[Digest]]) -> None:
        self._registry = registry
        self._list_known = list_known
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")

    def fetch_unknown(self, wanted: Iterable[Key], *, budget_s: float) -> FetchResult:
        """Fetch the manifests that the index does not have, and what they list, within a time.

        Args:
            wanted: repository and digest; a digest need be in one of its repositories only.
            budget_s: what has not come by then counts as missing, and is not waited for.
        """
        deadline, result = monotonic() + budget_s, FetchResult()
        for _ in range(MAX_ROUNDS):
            wanted = self._unknown(wanted, result)
            if not wanted or monotonic() >= deadline:
                break
            self._fetch_round(wanted, deadline, result)
            wanted = [
                (repository, child.digest)
                for repository, digest in wanted
                if (parent := result.fetched.get(digest))
                for child in parent.manifest.children
            ]
        result.missing.update(dict.fromkeys(self._unknown(wanted, result)))
        return result

    def look_for(self, keys: Collection[Key], *, budget_s: float) -> LookResult:
        """Ask whether manifests that we have lie in repositories, within a time."""
        pending = {self._pool.submit(self._registry.find_digest, *key): key for key in keys}
        done, late = wait(pending, timeout=budget_s)
        result = LookResult(missing={pending[future]: None for future in late})
        for future in late:
            future.cancel()
        for future in done:
            fault = future.exception()
            if fault is None:
                result.lying.add(pending[future])
            else:
                result.missing[pending[future]] = _known_fault(fault, pending[future])
        return result

    def close(self) -> None:
        """Let go of what is still being fetched."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _unknown(self, wanted: Iterable[Key], result: FetchResult) -> list[Key]:
        by_digest = {digest: repository for repository, digest in wanted if digest not in result.fetched}
        known = self._list_known(by_digest.keys()) if by_digest else set()
        keys = [(repository, digest) for digest, repository in by_digest.items() if digest not in known]
        return [key for key in keys if key not in result.missing]

    def _fetch_round(self, wanted: Collection[Key], deadline: float, result: FetchResult) -> None:
        pending: dict[Future[FetchedManifest], Key] = {
            self._pool.submit(fetch_manifest, self._registry, *key): key for key in list(wanted)[:MAX_PER_ROUND]
        }
        done, late = wait(pending, timeout=max(0.0, deadline - monotonic()))
        for future in late:
            future.cancel()
        for future in done:
            _note(result, pending[future], future)
        for key in wanted:
            if key[1] not in result.fetched:
                result.missing.setdefault(key, None)


def fetch_manifest(registry: Registry, repository: RepositoryName, reference: str) -> FetchedManifest:
    """Fetch one manifest and its configuration, where that is a document.

    Raises:
        RegistryError: it did not come; a manifest that is too large comes as one that is not readable.
    """
    try:
        raw = registry.get_manifest(repository, reference)
    except TooLarge as fault:
        if fault.digest is None:
            raise
        return FetchedManifest(fault.digest, b"", Manifest(fault.media_type, readable=False))
    manifest = read_manifest(raw.body, raw.media_type)
    config = _fetch_config(registry, repository, manifest)
    platform = read_platform(config) if config and manifest.has_image_config else None
    return FetchedManifest(raw.digest, raw.body, manifest, platform, config)


def _fetch_config(registry: Registry, repository: RepositoryName, manifest: Manifest) -> bytes | None:
    config = manifest.config
    if config is None or not manifest.keeps_config or config.size_bytes > MAX_CONFIG_BYTES:
        return None
    try:
        return registry.get_blob(repository, config.digest, max_bytes=MAX_CONFIG_BYTES)
    except (NotInRegistry, InvalidAnswer):
        # The image is broken in the registry, which is no reason not to show what there is of it.
        return None


def _note(result: FetchResult, key: Key, future: Future[FetchedManifest]) -> None:
    fault = future.exception()
    if fault is None:
        fetched = future.result()
        result.fetched[fetched.digest] = fetched
    else:
        result.missing[key] = _known_fault(fault, key)


def _known_fault(fault: BaseException, key: Key) -> RegistryError:
    if isinstance(fault, RegistryError):
        return fault
    # What breaks our reading of one manifest must not hold up everything that was told with it.
    log.error("fetch.broken", repository=key[0], digest=key[1], exc_info=fault)
    return InvalidAnswer(f"reading it ended in {type(fault).__name__}")
