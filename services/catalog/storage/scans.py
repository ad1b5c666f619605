"""Scans under way: who takes which, and what comes of it.

Everything that is to be done about a digest is one time, ``due_at``: of one that waits, when it is to be scanned;
of one that is worked on, when its worker counts as gone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, delete, exists, select, update

from services.catalog.domain.scans import MAX_FINDINGS, RANKS, Finding, MadeBy, Report, ScanState, Severity
from services.catalog.storage.scan_tables import findings, scans
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import manifests, pending_fetches, repositories, repository_manifests, tags
from shared.oci.names import Digest, RepositoryName

ROWS_AT_ONCE = 5000
MAX_REPOSITORIES = 100
"""So many repositories are told of one scan."""

_C = scans.c


@dataclass(frozen=True, slots=True)
class Claim:
    """A scan that a worker has taken."""

    id: int
    scanner: str
    digest: Digest
    run: str
    tries: int
    """How many went wrong before it, one after the other."""
    stumbles: int
    """Of those, how many it may itself be to blame for."""
    is_orphan: bool
    """Whether the worker that had it before is gone."""
    again: bool
    """Whether it was scanned before, and nobody has asked for it."""
    has_report: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a manifest lies, and what it is."""

    repository: RepositoryName
    media_type: str | None
    body: bytes | None
    """``None``: it has not been fetched yet."""


@dataclass(frozen=True, slots=True)
class PartScan:
    """The scan of an image that an index lists."""

    id: int
    digest: Digest
    state: ScanState
    reason: str | None
    made_by: MadeBy | None
    reported_at: datetime | None


def is_scan_due(connection: Connection, scanner: str, *, now: datetime) -> bool:
    """Tell whether there is something to scan."""
    return any(connection.execute(_due(scanner, now, again=again)).first() for again in (False, True))


def claim_scan(connection: Connection, scanner: str, *, run: str, now: datetime, until: datetime) -> Claim | None:
    """Take what is to be scanned next: first what is new, the newest push of it; then what was scanned before.

    Args:
        run: whoever takes it, new each time.
        until: then it may be taken by somebody else, unless it is kept.
    """
    for again in (False, True):
        # Others pass over what we are about to take; SQLite has one writer at a time anyway.
        row = connection.execute(_due(scanner, now, again=again).with_for_update(skip_locked=True)).one_or_none()
        if row:
            return _take(connection, row, run=run, now=now, until=until)
    return None


def keep_claim(connection: Connection, claim: Claim, *, until: datetime) -> bool:
    """Go on with a scan; ``False``: it is not ours any more."""
    return _change(connection, claim, {"due_at": until})


def put_off(
    connection: Connection,
    claim: Claim,
    state: ScanState,
    reason: str | None,
    *,
    due_at: datetime | None,
    now: datetime,
    stumbles: int = 0,
) -> bool:
    """Note that a scan brought no report, and when it is tried again; ``False``: it was not ours any more.

    The last good report stays.

    Args:
        stumbles: how often by now it may itself be to blame.
    """
    changes = {"state": state.value, "reason": reason, "tries": claim.tries + 1, "stumbles": stumbles}
    return _change(connection, claim, {**changes, "due_at": due_at, "run": None, "finished_at": now})


def give_back(connection: Connection, claim: Claim, *, now: datetime) -> None:
    """Leave a scan to others, as if nobody had taken it."""
    _change(connection, claim, {"state": ScanState.NONE.value, "again": claim.again, "due_at": now, "run": None})


def save_report(
    connection: Connection,
    claim: Claim,
    report: Report,
    made_by: MadeBy,
    *,
    reported_at: datetime,
    due_at: datetime,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Keep a report in place of the one before; ``False``: the scan was not ours any more, and nothing is kept.

    Args:
        reported_at: of when the report is.
        due_at: when it is to be made anew.
        reason: what it says nothing about, where that is something.
    """
    changes: dict[str, Any] = {
        "state": ScanState.DONE.value,
        "reason": reason,
        "tries": 0,
        "stumbles": 0,
        "run": None,
        "due_at": due_at,
        "finished_at": now,
        "reported_at": reported_at,
        "scanner_name": made_by.name,
        "scanner_version": made_by.version,
        "database_at": made_by.database_at,
        "severity": report.severity.value if report.severity else None,
        "counts": {severity.value: number for severity, number in report.counts.items()},
    }
    if not _change(connection, claim, changes):
        return False
    connection.execute(delete(findings).where(findings.c.scan_id == claim.id))
    rows = [_row(claim.id, position, one) for position, one in enumerate(report.findings)]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        insert_missing(connection, findings, rows[start : start + ROWS_AT_ONCE])
    return True


def find_counts(connection: Connection, claim: Claim) -> dict[str, int] | None:
    """Return how many findings the last good report had, by severity; ``None``: there is none."""
    row = connection.execute(select(_C.reported_at, _C.counts).where(_C.id == claim.id)).one_or_none()
    return dict(row.counts) if row and row.reported_at else None


def find_place(connection: Connection, digest: Digest) -> Place | None:
    """Return where a manifest lies: of the repositories that we were told have it, the one written last."""
    held = repository_manifests.c
    tagged = exists().where(tags.c.repository_id == held.repository_id, tags.c.digest == held.digest, tags.c.present)
    # What an index lists is taken to lie where the index does, and need not.
    told = case(((held.written_by_event != "") | tagged, 1), else_=0)
    query = (
        select(repositories.c.full_name, manifests.c.media_type, manifests.c.body)
        .select_from(
            repository_manifests.join(repositories).join(manifests, manifests.c.digest == held.digest, isouter=True)
        )
        .where(held.digest == digest, held.present)
        .order_by(told.desc(), held.written_at.desc(), held.repository_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return Place(RepositoryName(row.full_name), row.media_type, row.body) if row else None


def list_held(connection: Connection, digests: Collection[Digest]) -> set[Digest]:
    """Return those digests that lie in any repository; see ``is_held``."""
    own = repository_manifests.c
    query = select(own.digest).where(own.digest.in_(digests), is_held(own.digest)).distinct()
    return {Digest(digest) for digest in connection.scalars(query)}


def is_held(digest: ColumnElement[Any]) -> ColumnElement[bool]:
    """Tell in SQL whether a manifest lies in any repository, and has come from there or is still asked for.

    Whatever else is listed somewhere does not lie in the registry: an index may be copied without its images.
    """
    own = repository_manifests.alias("holding").c
    come = exists().where(manifests.c.digest == digest, manifests.c.body.is_not(None))
    coming = exists().where(pending_fetches.c.digest == digest)
    return exists().where(own.digest == digest, own.present) & (come | coming)


def may_come(connection: Connection, digest: Digest) -> bool:
    """Tell whether the registry is still asked for a manifest."""
    return bool(connection.scalar(select(pending_fetches.c.digest).where(pending_fetches.c.digest == digest).limit(1)))


def list_tagged_repositories(connection: Connection, digest: Digest) -> Sequence[RepositoryName]:
    """Return the repositories with a tag on a digest, some of them where they are many."""
    query = (
        select(repositories.c.full_name)
        .join_from(tags, repositories)
        .where(tags.c.digest == digest, tags.c.present)
        .distinct()
        .order_by(repositories.c.full_name)
        .limit(MAX_REPOSITORIES)
    )
    return [RepositoryName(name) for name in connection.scalars(query)]


def list_part_scans(connection: Connection, scanner: str, digests: Collection[Digest]) -> Sequence[PartScan]:
    """Return the scans of images that an index lists."""
    rows = connection.execute(select(scans).where(_C.scanner == scanner, _C.digest.in_(digests)).order_by(_C.digest))
    return [
        PartScan(
            row.id,
            Digest(row.digest),
            ScanState(row.state),
            row.reason,
            MadeBy(row.scanner_name, row.scanner_version, row.database_at) if row.reported_at else None,
            row.reported_at,
        )
        for row in rows
    ]


def list_findings_of(connection: Connection, ids: Collection[int]) -> Iterable[Finding]:
    """Yield what several scans found, the worst first."""
    rank = case({severity.value: rank for severity, rank in RANKS.items()}, value=findings.c.severity)
    # The same one is in every platform's image: so many rows may be the findings of one.
    query = select(findings).where(findings.c.scan_id.in_(ids)).order_by(rank).limit(10 * MAX_FINDINGS)
    return map(load_finding, connection.execute(query))


def load_finding(row: Row[Any]) -> Finding:
    """Read a row of the table of findings."""
    return Finding(
        name=row.name,
        package=row.package,
        version=row.version,
        fix_version=row.fix_version,
        severity=Severity(row.severity),
        description=row.description,
        links=tuple(row.links),
        cvss_score=row.cvss_score,
        cvss_vector=row.cvss_vector,
    )


def _due(scanner: str, now: datetime, *, again: bool) -> Select[Any]:
    order = _C.due_at.asc() if again else _C.due_at.desc()
    due = and_(_C.scanner == scanner, _C.again.is_(again), _C.due_at <= now)
    return select(scans).where(due).order_by(order).limit(1)


def _take(connection: Connection, row: Row[Any], *, run: str, now: datetime, until: datetime) -> Claim:
    # Something may be in there that nobody who reads it survives; without a count it would be read for ever.
    is_orphan = row.state == ScanState.WORKING.value and row.run is not None
    tries, stumbles = row.tries + is_orphan, row.stumbles + is_orphan
    taken = {"state": ScanState.WORKING.value, "run": run, "again": True, "due_at": until, "started_at": now}
    counted = {"tries": tries, "stumbles": stumbles}
    connection.execute(update(scans).where(_C.id == row.id).values({**taken, **counted}))
    has_report = row.reported_at is not None
    digest = Digest(row.digest)
    return Claim(row.id, row.scanner, digest, run, tries, stumbles, is_orphan, row.again, has_report)


def _change(connection: Connection, claim: Claim, changes: dict[str, Any]) -> bool:
    ours = and_(_C.id == claim.id, _C.run == claim.run)
    return connection.execute(update(scans).where(ours).values(changes)).rowcount == 1


def _row(scan: int, position: int, finding: Finding) -> dict[str, Any]:
    return {
        "scan_id": scan,
        "position": position,
        "name": finding.name,
        "package": finding.package,
        "version": finding.version,
        "fix_version": finding.fix_version,
        "severity": finding.severity.value,
        "description": finding.description,
        "links": list(finding.links),
        "cvss_score": finding.cvss_score,
        "cvss_vector": finding.cvss_vector,
    }
