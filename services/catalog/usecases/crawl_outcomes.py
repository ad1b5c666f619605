"""What came of a repository, as one worker tells it another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.catalog.domain.drift import Finding, Kind
from services.catalog.usecases.crawl_repository import CrawledRepository
from services.catalog.usecases.registry import RegistryError, RegistryRefused, RegistryUnavailable
from shared.oci.names import Digest, RepositoryName, Tag

_FAULTS: Mapping[str, type[RegistryError]] = {
    # In this order: the first that fits is told.
    "unavailable": RegistryUnavailable,
    "refused": RegistryRefused,
    "other": RegistryError,
}


def dump_crawled(crawled: CrawledRepository) -> dict[str, Any]:
    """Dump what was read, for JSON."""
    return {
        "tags": crawled.tags,
        "failures": crawled.failures,
        "is_whole": crawled.is_whole,
        "repaired": crawled.repaired,
        "findings": [[one.kind.value, one.tag, one.indexed, one.found] for one in crawled.findings],
        "seen_at": crawled.seen_at.isoformat() if crawled.seen_at else None,
        "is_deep": crawled.is_deep,
        "untold": crawled.untold,
    }


def dump_fault(fault: RegistryError) -> dict[str, Any]:
    """Dump why nothing was read."""
    kind = next(name for name, kind in _FAULTS.items() if isinstance(fault, kind))
    return {"fault": kind, "text": str(fault)}


def load_outcome(repository: RepositoryName, dumped: Mapping[str, Any]) -> CrawledRepository:
    """Return what was read.

    Raises:
        RegistryError: why nothing was.
    """
    if "fault" in dumped:
        raise _FAULTS[dumped["fault"]](dumped["text"])
    # Field by field: another worker may be of another version.
    return CrawledRepository(
        tags=dumped["tags"],
        failures=dumped["failures"],
        is_whole=dumped["is_whole"],
        repaired=dumped["repaired"],
        findings=tuple(_load_finding(repository, *one) for one in dumped["findings"]),
        seen_at=datetime.fromisoformat(dumped["seen_at"]) if dumped["seen_at"] else None,
        is_deep=dumped["is_deep"],
        untold=dumped.get("untold", 0),
    )


def _load_finding(
    repository: RepositoryName, kind: str, tag: str | None, indexed: str | None, found: str | None
) -> Finding:
    return Finding(
        Kind(kind),
        repository,
        Tag(tag) if tag else None,
        Digest(indexed) if indexed else None,
        Digest(found) if found else None,
    )
