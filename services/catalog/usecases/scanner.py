"""A scanner as the use cases see it, and the ways in which a call to it fails.

ScannerError               a call that did not succeed; the text is for people
├── ScannerUnavailable     no answer in time, an error of its own, or it does not let us in: ask again later
└── ScanFailed             it answered that it cannot, or what cannot be right
    ├── ScanUnknown        it knows no such scan: it has been restarted since
    └── NotScannable       it says that it does not do this at all
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.catalog.domain.scanners import ScannerMetadata
from services.catalog.domain.scans import Report
from shared.config import Secret
from shared.oci.names import Digest, RepositoryName


class ScannerError(Exception):
    """The call did not succeed; the text never holds a secret."""


class ScannerUnavailable(ScannerError):
    """No answer in time, an error of the scanner's own, or it does not let us in."""


class ScanFailed(ScannerError):
    """The scanner says that it cannot, or answers what cannot be right."""


class ScanUnknown(ScanFailed):
    """The scanner knows no such scan."""


class NotScannable(ScanFailed):
    """The scanner does not do this at all (501)."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is to be scanned, and how the scanner gets at it."""

    registry_url: str
    authorization: Secret
    """A whole header's value, good for pulling from this repository only."""
    repository: RepositoryName
    digest: Digest
    media_type: str


@dataclass(frozen=True, slots=True)
class NotReady:
    """There is no report yet."""

    ask_after_s: float


class Scanner(Protocol):
    """A scanner. Every method raises ``ScannerError``."""

    def get_metadata(self) -> ScannerMetadata:
        """Return what it says of itself."""

    def begin_scan(self, artifact: Artifact, report_type: str) -> str:
        """Have something scanned; return under which name the report is to be had."""

    def find_report(self, scan: str, report_type: str) -> Report | NotReady:
        """Return the report of a scan, once it is ready."""


NewAuthorization = Callable[[RepositoryName], Secret]
"""Makes what a scanner pulls with from one repository; raises ``RegistryError``."""
