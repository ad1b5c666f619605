"""What was found in manifests, and having them scanned anew, for one caller."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from services.catalog.domain.scanners import ScannerMetadata
from services.catalog.domain.scans import DEFAULT_SCANNER
from services.catalog.storage.deletion_queries import holds_manifest
from services.catalog.storage.repository_queries import find_repository
from services.catalog.storage.scan_planning import ask_again
from services.catalog.storage.scan_queries import (
    FindingRow,
    ScanRow,
    count_by_state,
    count_due,
    find_scan,
    list_findings,
)
from services.catalog.storage.tag_queries import find_tag_row
from services.catalog.usecases.not_found import ManifestNotFound, NotFound, RepositoryNotFound, TagNotFound
from services.catalog.usecases.scanner import Scanner, ScannerError
from shared.api.paging import ListRequest
from shared.api.slices import Slice
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_administrator


class NoScanner(NotFound):
    """No scanner is configured."""

    def __init__(self) -> None:
        super().__init__("Nothing is scanned here: no scanner is configured.")


@dataclass(frozen=True, slots=True)
class ScanView:
    """The scan of a manifest, and a part of what it found."""

    scan: ScanRow
    part: Slice[FindingRow]


@dataclass(frozen=True, slots=True)
class ScannerView:
    """How the scanner is."""

    configured: bool
    metadata: ScannerMetadata | None
    """``None``: it does not answer."""
    fault: str | None
    """Why not."""
    due: int
    """Scans that wait for it."""
    states: Mapping[str, int]
    """Digests by how far their scan is."""


@dataclass(frozen=True, slots=True)
class ScanDesk:
    """Scans, for one caller.

    Args:
        visibility: what the caller may see.
        scanner: ``None``: none is configured.
    """

    visibility: Visibility
    scanner: Scanner | None
    database: Database
    clock: Clock

    def list_findings(self, repository: int, digest: Digest, asked: ListRequest) -> ScanView:
        """Return a part of what was found in a manifest, the worst first.

        Raises:
            RepositoryNotFound, ManifestNotFound: it is missing, or not for the caller.
            NoScanner: see above.
        """
        with self.database.read() as connection:
            self._require_manifest(connection, repository, digest)
            self._require_scanner()
            scan = find_scan(connection, digest)
            return ScanView(scan, list_findings(connection, scan, asked))

    def scan_all(self) -> int:
        """Have everything scanned anew; return how many digests that is.

        Raises:
            NotSignedIn, NotAllowed: the caller is no administrator.
            NoScanner: see above.
        """
        require_administrator(self.visibility)
        self._require_scanner()
        with self.database.write() as connection:
            return ask_again(connection, DEFAULT_SCANNER, None, now=self.clock())

    def scan_tag(self, tag: int) -> int:
        """Have what a tag points at scanned anew, with the images that it lists; return how many those are.

        Raises:
            NotSignedIn, NotAllowed: the caller is no administrator.
            NoScanner, TagNotFound: there is none.
        """
        require_administrator(self.visibility)
        self._require_scanner()
        with self.database.write() as connection:
            row = find_tag_row(connection, self.visibility, tag)
            if row is None:
                raise TagNotFound
            return ask_again(connection, DEFAULT_SCANNER, [Digest(row.digest)], now=self.clock())

    def scan_manifest(self, repository: int, digest: Digest) -> int:
        """Have a manifest scanned anew, with the images that it lists; return how many those are.

        Raises:
            NotSignedIn, NotAllowed: the caller is no administrator.
            NoScanner, RepositoryNotFound, ManifestNotFound: there is none.
        """
        require_administrator(self.visibility)
        self._require_scanner()
        with self.database.write() as connection:
            self._require_manifest(connection, repository, digest)
            return ask_again(connection, DEFAULT_SCANNER, [digest], now=self.clock())

    def show_scanner(self) -> ScannerView:
        """Ask the scanner how it is.

        Raises:
            NotSignedIn, NotAllowed: the caller is no administrator.
        """
        require_administrator(self.visibility)
        if self.scanner is None:
            return ScannerView(False, None, None, 0, {})
        with self.database.read() as connection:
            due, states = count_due(connection, now=self.clock()), count_by_state(connection)
        try:
            return ScannerView(True, self.scanner.get_metadata(), None, due, states)
        except ScannerError as fault:
            return ScannerView(True, None, str(fault), due, states)

    def _require_manifest(self, connection: Connection, repository: int, digest: Digest) -> None:
        if find_repository(connection, self.visibility, repository) is None:
            raise RepositoryNotFound
        if not holds_manifest(connection, repository, digest):
            raise ManifestNotFound

    def _require_scanner(self) -> None:
        if self.scanner is None:
            raise NoScanner
