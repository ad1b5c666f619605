"""What the portal asks of `catalog` about vulnerabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from marshmallow import fields

from services.web.clients.peer import ROWS_OF_A_PART, Peer, following_part
from services.web.clients.schemas import Made, Moment, Text, Texts
from services.web.clients.sessions import Visitor


@dataclass(frozen=True, slots=True)
class ScanEntry:
    """How far the scan of a manifest is, and what its last good report says; ``state`` as `catalog` calls it."""

    state: str
    reason: str | None
    reported_at: datetime | None
    """``None``: there is no report."""
    due_at: datetime | None
    scanner: str | None
    scanner_version: str | None
    database_at: datetime | None
    severity: str | None
    counts: Mapping[str, int] | None
    total: int | None


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A vulnerability of one package."""

    name: str
    severity: str
    package: str
    version: str
    fixed_by: str | None
    links: Sequence[str]
    description: str
    cvss_score: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """A scan with a part of what it found; ``following`` is where the next part begins."""

    scan: ScanEntry
    rows: Sequence[FindingEntry]
    following: str | None


class ScanSchema(Made):
    """Reads a scan."""

    makes = ScanEntry
    state = fields.String(required=True)
    reason, scanner, scanner_version, severity = Text(), Text(), Text(), Text()
    reported_at, due_at, database_at = Moment(), Moment(), Moment()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True, load_default=None)
    total = fields.Integer(allow_none=True, load_default=None)


class _FindingSchema(Made):
    makes = FindingEntry
    name = fields.String(required=True)
    severity = fields.String(required=True)
    package = fields.String(load_default="")
    version = fields.String(load_default="")
    fixed_by = Text()
    links = Texts()
    description = fields.String(load_default="")
    cvss_score = fields.Float(allow_none=True, load_default=None)


@dataclass(frozen=True, slots=True)
class _Listed:
    vulnerabilities: Sequence[FindingEntry]


class _ListedSchema(Made):
    makes = _Listed
    vulnerabilities = fields.List(fields.Nested(_FindingSchema), required=True)


class ScansClient:
    """Asks `catalog` about vulnerabilities, as the visitor.

    Args:
        peer: how it is reached.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list_findings(
        self, visitor: Visitor, repository_id: int, digest: str, after: str, filters: Mapping[str, str]
    ) -> Findings:
        """Return a part of what was found in a manifest, the worst first.

        Raises:
            NotFound: there is no such manifest, or no scanner.
        """
        given = {name: value for name, value in {**filters, "after": after}.items() if value}
        response = self._peer.get(
            _path(repository_id, digest),
            access_token=visitor.access_token,
            params={**given, "per_page": ROWS_OF_A_PART},
        )
        listed: _Listed = self._peer.load(_ListedSchema(), response)
        scan: ScanEntry = self._peer.load(ScanSchema(), response)
        return Findings(scan, listed.vulnerabilities, following_part(response))

    def ask_again(self, visitor: Visitor, repository_id: int, digest: str) -> None:
        """Have a manifest scanned anew.

        Raises:
            NotAllowed: the visitor is no administrator.
            NotFound: there is no such manifest, or no scanner.
        """
        self._peer.change("POST", _path(repository_id, digest), {}, access_token=visitor.access_token)


def _path(repository_id: int, digest: str) -> str:
    return f"/api/v1/repositories/{repository_id:d}/manifests/{quote(digest, safe=':')}/vulnerabilities"
