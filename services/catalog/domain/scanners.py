"""What a scanner says of itself, and what it can be asked for.

Source: pluggable-scanner-spec 1.2 "ScannerAdapterMetadata", and Harbor's client for what adapters really send.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.catalog.domain.lenient import Malformed, find_text, of_type, read_object
from services.catalog.domain.manifests import Manifest
from services.catalog.domain.scans import MadeBy

REPORT_TYPES = (
    "application/vnd.security.vulnerability.report; version=1.1",
    "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0",
)
"""Those that we can read, the best first."""

_DATABASE_AT = "harbor.scanner-adapter/vulnerability-database-updated-at"
_VULNERABILITY = "vulnerability"


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a scanner does."""

    consumes: frozenset[str]
    """Media types of manifests."""
    produces: frozenset[str]
    """Media types of reports."""


@dataclass(frozen=True, slots=True)
class ScannerMetadata:
    """What a scanner says of itself."""

    made_by: MadeBy
    vendor: str | None
    capabilities: Sequence[Capability]
    """Of looking for vulnerabilities; others are left out."""

    def find_report_type(self, media_type: str) -> str | None:
        """Return the best report that we can read and the scanner can make of a manifest."""
        able = [one for one in self.capabilities if _plain(media_type) in one.consumes]
        return next((kind for kind in REPORT_TYPES for one in able if _plain(kind) in one.produces), None)

    @property
    def is_understood(self) -> bool:
        """Whether it makes any report that we can read."""
        return any(_plain(kind) in one.produces for kind in REPORT_TYPES for one in self.capabilities)


def read_metadata(body: bytes) -> ScannerMetadata:
    """Read what a scanner says of itself.

    Raises:
        Malformed: it says nothing that can be read.
    """
    fields = read_object(body)
    scanner = of_type(dict, fields.get("scanner"))
    properties = fields.get("properties")
    said = properties if isinstance(properties, dict) else {}
    capabilities = [of_type(dict, one) for one in of_type(list, fields.get("capabilities"))]
    name = find_text(scanner.get("name"))
    if name is None:
        raise Malformed
    return ScannerMetadata(
        MadeBy(name, find_text(scanner.get("version")), _time(said.get(_DATABASE_AT))),
        find_text(scanner.get("vendor")),
        # Before 1.2 scanners did nothing else, and named no type.
        [_capability(one) for one in capabilities if one.get("type", _VULNERABILITY) == _VULNERABILITY],
    )


def find_obstacle(manifest: Manifest) -> str | None:
    """Return why nobody could look for vulnerabilities in a manifest, whatever the scanner; ``None``: one could."""
    if not manifest.readable:
        return "The manifest cannot be read."
    if not manifest.layers:
        return "The manifest has no layers."
    return None if manifest.has_image_config else "This is no image."


def _capability(fields: Mapping[str, Any]) -> Capability:
    return Capability(_types(fields.get("consumes_mime_types")), _types(fields.get("produces_mime_types")))


def _types(values: object) -> frozenset[str]:
    return frozenset(_plain(value) for value in of_type(list, values or []) if isinstance(value, str))


def _plain(media_type: str) -> str:
    """Return a media type as it is compared: blanks do not count, nor do upper and lower case."""
    return "".join(media_type.split()).lower()


def _time(value: object) -> datetime | None:
    try:
        said = datetime.fromisoformat(value) if isinstance(value, str) else None
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC) if said else None
    except (ValueError, OverflowError):
        return None
