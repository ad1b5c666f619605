"""``…/manifests/:digest/vulnerabilities``, ``/api/v1/vulnerabilities`` and ``/api/v1/scanner``."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, jsonify
from marshmallow import Schema, fields

from services.catalog.api.fields import ID, load_digest
from services.catalog.domain.scans import ScanState, Severity
from services.catalog.storage.scan_queries import FINDINGS, ScanRow
from services.catalog.usecases.scans import ScanDesk, ScannerView
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import key_query
from shared.api.paging import ListRequest
from shared.api.slices import set_part_headers
from shared.visibility.callers import keep_private

SCANNING = "portus.scanning"
"""Key of the application's configuration: whether there is a scanner."""

SCANNED = {ScanState.WORKING: 1, ScanState.DONE: 2}
"""As the Portus API counts; everything else is 0."""

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def _said(description: str) -> dict[str, Any]:
    return {"description": description}


class ScanSchema(Schema):
    """How far the scan of a manifest is, and what its last good report says.

    All tags of all repositories that point at a digest share one.
    """

    state = fields.Enum(
        ScanState,
        by_value=True,
        required=True,
        metadata=_said("Only `done` says that the report is what is in there, as far as the scanner knows."),
    )
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata=_said("Why it is not done, in words; of one that is done, what it says nothing about."),
    )
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    due_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata=_said("When the next scan is due; null: not until somebody asks.")
    )
    reported_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata=_said("Of when the last good report is; null: there is none, and the fields below say nothing."),
    )
    scanner = fields.String(required=True, allow_none=True, attribute="scanner_name")
    scanner_version = fields.String(required=True, allow_none=True)
    database_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata=_said("Of when the scanner's knowledge was, where it says.")
    )
    severity = fields.Enum(
        Severity, by_value=True, required=True, allow_none=True, metadata=_said("The worst; null: nothing was found.")
    )
    counts = fields.Function(
        lambda scan: _counts(scan),
        metadata={
            "type": ["object", "null"],
            "properties": {severity.value: {"type": "integer"} for severity in Severity},
            **_said("Findings by severity."),
        },
    )
    total = fields.Integer(required=True, allow_none=True, metadata=_said("Findings."))


class FindingSchema(Schema):
    """A vulnerability of one package."""

    id = fields.Integer(required=True, metadata=_said("Its place in the report: the worst first, then by name."))
    name = fields.String(required=True, metadata=_said("`CVE-2024-1234`"))
    severity = fields.Enum(Severity, by_value=True, required=True)
    package = fields.String(required=True)
    version = fields.String(required=True)
    fixed_by = fields.Function(
        lambda row: row.fix_version or None,
        metadata={"type": ["string", "null"], **_said("The version that has it no more; null: there is none.")},
    )
    link = fields.Function(
        lambda row: next(iter(row.links), None),
        metadata={"type": ["string", "null"], **_said("The first of the links; as in the Portus API.")},
    )
    links = fields.List(fields.String(), required=True)
    description = fields.String(required=True, metadata=_said("Cut at 500 characters."))
    cvss_score = fields.Float(required=True, allow_none=True)
    cvss_vector = fields.String(required=True, allow_none=True)


class VulnerabilitiesSchema(ScanSchema):
    """The scan of a manifest and a part of what it found; ``Link`` leads to the next part."""

    vulnerabilities = fields.List(fields.Nested(FindingSchema), required=True)


class AskedSchema(Schema):
    """What is scanned anew."""

    scans = fields.Integer(required=True, metadata=_said("Digests."))


class ScannerSchema(Schema):
    """How the scanner is."""

    configured = fields.Boolean(required=True)
    reachable = fields.Function(lambda view: view.metadata is not None, metadata={"type": "boolean"})
    fault = fields.String(required=True, allow_none=True, metadata=_said("Why it is not reachable, in words."))
    name = fields.String(required=True, allow_none=True, attribute="metadata.made_by.name", dump_default=None)
    vendor = fields.String(required=True, allow_none=True, attribute="metadata.vendor", dump_default=None)
    version = fields.String(required=True, allow_none=True, attribute="metadata.made_by.version", dump_default=None)
    database_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        attribute="metadata.made_by.database_at",
        dump_default=None,
        metadata=_said("Of when its knowledge is, where it says."),
    )
    due = fields.Integer(required=True, metadata=_said("Scans that wait for it."))
    states = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata=_said("Digests by state of their scan.")
    )


class _WhereScanned(fields.Field[Any]):
    """Says nothing where nothing is scanned."""

    def get_value(self, *where: Any, **options: Any) -> Any:
        return super().get_value(*where, **options) if current_app.config[SCANNING] else None


class _Scan(_WhereScanned, fields.Nested):
    pass


class _Findings(_WhereScanned, fields.List[Any]):
    pass


def scan_field() -> fields.Field[Any]:
    """Return the field of the scan of what is shown."""
    said = _said("How far its scan is, and what that found; null where no scanner is configured.")
    return _Scan(ScanSchema, required=True, allow_none=True, dump_only=True, metadata=said)


def worst_field() -> fields.Field[Any]:
    """Return the field of the worst that was found in what is shown."""
    said = _said("The worst 1 000, where they are asked for; null elsewhere, and while there is no report.")
    return _Findings(fields.Nested(FindingSchema), required=True, allow_none=True, dump_only=True, metadata=said)


def show_scanned(scan: ScanRow) -> int:
    """Return how far a scan is, as the Portus API counts."""
    return SCANNED.get(scan.state, 0) if current_app.config[SCANNING] else 0


def _counts(scan: ScanRow) -> dict[str, int] | None:
    return None if scan.counts is None else {severity.value: scan.counts.get(severity, 0) for severity in Severity}


def scans_blueprint(desk: Callable[[], ScanDesk]) -> ApiBlueprint:
    """Build the routes.

    Args:
        desk: serves the present caller.
    """
    blueprint = ApiBlueprint("scans", __name__, url_prefix="/api/v1", description="Vulnerabilities")
    keep_private(blueprint)

    @blueprint.get(f"/repositories/{ID}/manifests/<digest>/vulnerabilities")
    @blueprint.arguments(key_query(FINDINGS), location="query")
    @blueprint.response(HTTPStatus.OK, VulnerabilitiesSchema)
    @blueprint.refuses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
    def vulnerabilities(asked: ListRequest, id: int, digest: str) -> Response:
        """List what was found in a manifest, the worst first, and say how far its scan is"""
        view = desk().list_findings(id, load_digest(digest), asked)
        shown = FindingSchema(many=True).dump(view.part.rows)
        return set_part_headers(jsonify({**ScanSchema().dump(view.scan), "vulnerabilities": shown}), view.part)

    @blueprint.post(f"/repositories/{ID}/manifests/<digest>/vulnerabilities")
    @blueprint.response(HTTPStatus.ACCEPTED, AskedSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def scan_manifest(id: int, digest: str) -> dict[str, int]:
        """Scan a manifest anew; for administrators"""
        return {"scans": desk().scan_manifest(id, load_digest(digest))}

    @blueprint.post("/vulnerabilities")
    @blueprint.response(HTTPStatus.ACCEPTED, AskedSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def scan_all() -> dict[str, int]:
        """Scan everything anew; for administrators"""
        return {"scans": desk().scan_all()}

    @blueprint.post(f"/vulnerabilities/{ID}")
    @blueprint.response(HTTPStatus.ACCEPTED, AskedSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def scan_tag(id: int) -> dict[str, int]:
        """Scan anew what a tag points at; for administrators"""
        return {"scans": desk().scan_tag(id)}

    @blueprint.get("/scanner")
    @blueprint.response(HTTPStatus.OK, ScannerSchema)
    @blueprint.refuses(*_REFUSED)
    def scanner() -> ScannerView:
        """Ask the scanner how it is; for administrators"""
        return desk().show_scanner()

    return blueprint
