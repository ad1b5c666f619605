"""Scans and findings as the API shows them; whoever asks has seen the repository before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from services.catalog.domain.scans import DEFAULT_SCANNER, ScanState, Severity
from services.catalog.storage.scan_planning import will_be_wanted
from services.catalog.storage.scan_tables import findings, scans
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice
from shared.oci.names import Digest

_C, _F = scans.c, findings.c

MAX_WORST = 1000
"""So many findings are shown with a tag."""

FINDINGS = Listing(
    {
        # Unique in a scan, and in its order: the worst first, then by name.
        "id": Listed(_F.position),
        "name": Listed(_F.name, sortable=False),
        "package": Listed(_F.package, sortable=False),
        "severity": Listed(_F.severity, choices=Severity, sortable=False),
        "fixable": Listed((_F.fix_version != "").label("fixable"), sortable=False),
    },
    order=Order("id"),
)
"""What lists of findings are narrowed by."""


@dataclass(frozen=True, slots=True)
class ScanRow:
    """What is known of the scan of a digest."""

    id: int | None
    """``None``: nobody has thought of it yet."""
    state: ScanState
    reason: str | None = None
    """Why it is not done, in words; of one that is done, what it says nothing about."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    due_at: datetime | None = None
    reported_at: datetime | None = None
    """Of when the last good report is; ``None``: there is none, and what follows says nothing."""
    scanner_name: str | None = None
    scanner_version: str | None = None
    database_at: datetime | None = None
    severity: Severity | None = None
    counts: Mapping[str, int] | None = None

    @property
    def total(self) -> int | None:
        """How many findings the report has."""
        return None if self.counts is None else sum(self.counts.values())


WAITING = ScanRow(None, ScanState.NONE)
"""Of what is not even on the list."""

LEFT_OUT = ScanRow(
    None, ScanState.UNSUPPORTED, "Only what a tag points at is scanned, and of an index the images that can be had."
)
"""Of what will not be on it."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A vulnerability of one package, as a list shows it."""

    id: int
    """Its place in the report."""
    name: str
    package: str
    version: str
    fix_version: str
    severity: Severity
    description: str
    links: Collection[str]
    cvss_score: float | None
    cvss_vector: str | None


def find_scans(
    connection: Connection, digests: Collection[str], *, scanner: str = DEFAULT_SCANNER
) -> Mapping[str, ScanRow]:
    """Return what is known of the scans of digests, by digest."""
    query = select(scans).where(_C.digest.in_(digests), _C.scanner == scanner)
    return {row.digest: _load(row) for row in connection.execute(query)}


def find_scan(connection: Connection, digest: Digest, *, scanner: str = DEFAULT_SCANNER) -> ScanRow:
    """Return what is known of the scan of a digest, and of one that there is none of, whether there will be."""
    known = find_scans(connection, [digest], scanner=scanner).get(digest)
    return known or (WAITING if will_be_wanted(connection, scanner, digest) else LEFT_OUT)


def list_worst(connection: Connection, scan: ScanRow) -> Sequence[FindingRow] | None:
    """Return the worst of what a scan found; ``None``: there is no report."""
    if scan.reported_at is None:
        return None
    query = _select_findings(scan).order_by(_F.position).limit(MAX_WORST)
    return [_load_finding(row) for row in connection.execute(query)]


def list_findings(connection: Connection, scan: ScanRow, asked: ListRequest) -> Slice[FindingRow]:
    """Return a part of what a scan found."""
    return fetch_slice(connection, _select_findings(scan), FINDINGS, asked, load=_load_finding)


def _select_findings(scan: ScanRow) -> Select[Any]:
    columns = (_F[name] for name in FindingRow.__slots__ if name != "id")
    return select(_F.position, *columns).where(_F.scan_id == scan.id)


def count_by_state(connection: Connection, scanner: str = DEFAULT_SCANNER) -> Mapping[str, int]:
    """Return how many digests are in each state."""
    query = select(_C.state, func.count().label("number")).where(_C.scanner == scanner).group_by(_C.state)
    return {row.state: int(row.number) for row in connection.execute(query)}


def count_due(connection: Connection, *, now: datetime, scanner: str = DEFAULT_SCANNER) -> int:
    """Return how many scans are due."""
    query = select(func.count()).select_from(scans).where(_C.scanner == scanner, _C.due_at <= now)
    return connection.execute(query).scalar_one()


def _load(row: Row[Any]) -> ScanRow:
    return ScanRow(
        id=row.id,
        state=ScanState(row.state),
        reason=row.reason,
        started_at=row.started_at,
        finished_at=row.finished_at,
        due_at=row.due_at,
        reported_at=row.reported_at,
        scanner_name=row.scanner_name,
        scanner_version=row.scanner_version,
        database_at=row.database_at,
        severity=Severity(row.severity) if row.severity else None,
        counts=row.counts,
    )


def _load_finding(row: Row[Any]) -> FindingRow:
    fields = {name: value for name, value in row._mapping.items() if name != "position"}
    return FindingRow(**{**fields, "id": row.position, "severity": Severity(row.severity)})
