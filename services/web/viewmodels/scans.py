"""Vulnerabilities, in words. What is not known is never shown as passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_gettext

from services.web.clients.scans import FindingEntry, ScanEntry
from services.web.viewmodels.manifests import Value, present_value
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.said import say
from services.web.viewmodels.times import TimeText, present_moment, present_time

SEVERITIES: dict[str, tuple[str, Any]] = {
    "Critical": ("critical", lazy_gettext("critical")),
    "High": ("high", lazy_gettext("high")),
    "Medium": ("medium", lazy_gettext("medium")),
    "Low": ("low", lazy_gettext("low")),
    "Negligible": ("negligible", lazy_gettext("negligible")),
    "Unknown": ("unknown", lazy_gettext("of unknown severity")),
}
"""By `catalog`'s word: the stamp's kind, and what people read; the worst first."""

_UNDER_WAY = {
    "none": ("hourglass-split", lazy_gettext("Pending")),
    "working": ("hourglass-split", lazy_gettext("In progress")),
}


@dataclass(frozen=True, slots=True)
class ScanBadge:
    """A scan in a few words, and in some more."""

    kind: str
    icon: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many findings there are of a severity."""

    severity: str
    """As `catalog` calls it."""
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ScanPanel:
    """All there is to say of a scan."""

    badge: ScanBadge
    counts: Sequence[Count]
    reason: str | None
    reported: TimeText | None
    scanner: str | None
    database: TimeText | None
    due: TimeText | None
    is_stale: bool
    """Whether the report is not that of the last scan."""
    total: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A vulnerability of one package."""

    name: Value
    kind: str
    severity: str
    package: str
    version: str
    fixed_by: str | None
    description: str
    score: str | None


def present_badge(scan: ScanEntry | None) -> ScanBadge | None:
    """Put a scan in a few words; ``None`` where nothing is scanned.

    What was found stays in sight, whatever became of the next scan. That nothing was found counts only while
    the scan is done, and leaves nothing out.
    """
    if scan is None:
        return None
    reason = say(scan.reason) if scan.reason else ""
    counts = _counts(scan)
    if counts:
        worst = counts[0]
        icon = "exclamation-triangle" if worst.kind in ("critical", "high") else "info-circle"
        return ScanBadge(worst.kind, icon, worst.text, ", ".join(count.text for count in counts))
    if scan.state == "done" and reason:
        return ScanBadge("unsupported", "info-circle", gettext("Partly scanned"), reason)
    if scan.state == "done":
        return ScanBadge("passed", "patch-check", gettext("Passed"), gettext("Nothing was found."))
    if scan.state in _UNDER_WAY:
        icon, text = _UNDER_WAY[scan.state]
        return ScanBadge("waiting", icon, str(text), reason or str(text))
    if scan.state == "unsupported":
        return ScanBadge("unsupported", "info-circle", gettext("Not scanned"), reason or gettext("Not scanned"))
    return ScanBadge("failed", "x-circle", gettext("Scan failed"), reason or gettext("Scan failed"))


def present_scan(scan: ScanEntry | None, now: datetime) -> ScanPanel | None:
    """Say all there is to say of a scan; ``None`` where nothing is scanned."""
    badge = present_badge(scan)
    if scan is None or badge is None:
        return None
    return ScanPanel(
        badge=badge,
        counts=_counts(scan),
        reason=say(scan.reason) if scan.reason else None,
        reported=present_time(scan.reported_at, now),
        scanner=" ".join(part for part in (scan.scanner, scan.scanner_version) if part) or None,
        database=present_time(scan.database_at, now),
        due=present_moment(scan.due_at, now) if scan.state != "working" else None,
        is_stale=scan.reported_at is not None and scan.state != "done",
        total=scan.total or 0,
    )


def present_findings(entries: Sequence[FindingEntry]) -> list[FindingRow]:
    """Turn vulnerabilities into rows."""
    return [_row(entry) for entry in entries]


def _row(entry: FindingEntry) -> FindingRow:
    kind, severity = SEVERITIES.get(entry.severity, SEVERITIES["Unknown"])
    link = next((value.link for value in map(present_value, entry.links) if value.link), None)
    return FindingRow(
        name=Value(entry.name, link=link),
        kind=kind,
        severity=str(severity),
        package=entry.package,
        version=entry.version,
        fixed_by=entry.fixed_by,
        description=entry.description,
        score=f"{entry.cvss_score:.1f}" if entry.cvss_score is not None else None,
    )


def _counts(scan: ScanEntry) -> list[Count]:
    known = scan.counts or {}
    return [
        Count(name, kind, gettext("%(count)s %(severity)s", count=present_count(known[name]), severity=text))
        for name, (kind, text) in SEVERITIES.items()
        if known.get(name)
    ]
