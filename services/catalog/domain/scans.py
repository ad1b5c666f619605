"""What scanners find in manifests: reports that strangers have written, and what a digest's result is.

Source: pluggable-scanner-spec 1.2 "HarborVulnerabilityReport", "VulnerabilityItem".
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from services.catalog.domain.lenient import Malformed, find_text, in_one_line, of_type, read_object

DEFAULT_SCANNER = "default"
"""Name of the one scanner there is; whatever is kept is kept by name, so that another can stand beside it."""

MAX_FINDINGS = 10_000
"""So many findings of a manifest are kept, the worst; all are counted.

They are written in one transaction, so that nobody sees half a report, and SQLite's one writer is held for about a
second by so many.
"""
MAX_DESCRIPTION = 500
MAX_LINKS = 5
MAX_LINK_LENGTH = 500

MAX_STUMBLES = 4
"""So often, one after the other, a scan may end its worker or silence its scanner before it counts as failed."""

FIRST_RETRY = timedelta(minutes=1)
FIRST_POSTPONEMENT = timedelta(seconds=10)
LONGEST_POSTPONEMENT = timedelta(minutes=15)


class ScanState(StrEnum):
    """How far the scan of a digest is; only ``DONE`` says that what it holds is known."""

    NONE = "none"
    """It waits."""
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    """No scanner can read it, and it is not tried again unless somebody asks; or nothing leads to it."""


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    CRITICAL = "Critical"
    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    NEGLIGIBLE = "Negligible"
    UNKNOWN = "Unknown"


RANKS: Mapping[Severity, int] = {severity: rank for rank, severity in enumerate(Severity)}
_SEVERITIES = {severity.value.lower(): severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Finding:
    """A vulnerability of one package."""

    name: str
    """``CVE-2024-1234``."""
    package: str
    version: str
    fix_version: str
    """Empty: nobody has fixed it."""
    severity: Severity
    description: str = ""
    links: tuple[str, ...] = ()
    cvss_score: float | None = None
    cvss_vector: str | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes it the same as another one."""
        return self.name, self.package, self.version, self.fix_version


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a manifest, the worst first and then by name; none twice."""

    findings: Sequence[Finding]
    """At most ``MAX_FINDINGS``."""
    counts: Mapping[Severity, int]
    """Of all there were; severities with none are left out."""

    @property
    def severity(self) -> Severity | None:
        """The worst; ``None``: nothing was found."""
        return min(self.counts, key=RANKS.__getitem__, default=None)


@dataclass(frozen=True, slots=True)
class MadeBy:
    """Who made a report."""

    name: str
    version: str | None = None
    database_at: datetime | None = None
    """Of when its knowledge is, where it says."""


def read_report(body: bytes) -> Report:
    """Read a report.

    Raises:
        Malformed: it is none. Nothing that cannot be read counts as "nothing was found".
    """
    fields = read_object(body)
    if "vulnerabilities" not in fields:
        raise Malformed
    # A list that is empty is null to some who write Go.
    listed = fields["vulnerabilities"]
    items = [] if listed is None else of_type(list, listed)
    return make_report(_finding(item) for item in items)


def make_report(findings: Iterable[Finding]) -> Report:
    """Put findings in order, and leave out those that are there twice: in two places, or on two platforms."""
    ordered = sorted(findings, key=lambda one: (RANKS[one.severity], *one.identity))
    # The first of each is its worst.
    alone = {one.identity: one for one in reversed(ordered)}
    counts = Counter(one.severity for one in alone.values())
    return Report(list(islice((one for one in ordered if alone[one.identity] is one), MAX_FINDINGS)), counts)


def _finding(item: object) -> Finding:
    fields = of_type(dict, item)
    name = find_text(fields.get("id"))
    if name is None:
        raise Malformed
    score, vector = _cvss(fields.get("preferred_cvss"))
    return Finding(
        name=name,
        package=find_text(fields.get("package")) or "",
        version=find_text(fields.get("version")) or "",
        fix_version=find_text(fields.get("fix_version")) or "",
        severity=_SEVERITIES.get(str(fields.get("severity")).lower(), Severity.UNKNOWN),
        description=_prose(fields.get("description")),
        links=_links(fields.get("links")),
        cvss_score=score,
        cvss_vector=vector,
    )


def _cvss(value: object) -> tuple[float | None, str | None]:
    fields = value if isinstance(value, dict) else {}
    for version in ("v3", "v2"):
        score = fields.get(f"score_{version}")
        if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 10:
            return float(score), find_text(fields.get(f"vector_{version}"))
    return None, None


def _prose(value: object) -> str:
    if not isinstance(value, str):
        return ""
    # Four times as much is looked at: what is left out are blanks and what no database takes.
    text = in_one_line(value[: 4 * MAX_DESCRIPTION])
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"


def _links(value: object) -> tuple[str, ...]:
    # Whatever else a stranger writes there becomes no link.
    good = (link for link in value if _is_link(link)) if isinstance(value, list) else ()
    return tuple(islice(good, MAX_LINKS))


def _is_link(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_LINK_LENGTH
        and value.isprintable()
        and value.startswith(("https://", "http://"))
    )


def combine_states(states: Iterable[ScanState]) -> ScanState:
    """Return the state of an index by those of its images: it is done when all of them are that can be."""
    found = set(states) - {ScanState.UNSUPPORTED}
    if not found:
        return ScanState.UNSUPPORTED
    if ScanState.NONE in found or ScanState.WORKING in found:
        return ScanState.NONE if found == {ScanState.NONE} else ScanState.WORKING
    return ScanState.FAILED if ScanState.FAILED in found else ScanState.DONE


def retry_after(tries: int, *, period: timedelta) -> timedelta:
    """Return how long after a scan that failed the next is tried.

    Args:
        tries: how many have failed before, one after the other.
        period: after which everything is scanned again, and so no longer than that.
    """
    return min(period, FIRST_RETRY * float(2 ** min(tries, 16)))


def postpone_for(tries: int) -> timedelta:
    """Return how long a scan is put off for which somebody was away."""
    return min(LONGEST_POSTPONEMENT, FIRST_POSTPONEMENT * float(2 ** min(tries, 16)))
