"""The audit trail: who changed what, from where."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, jsonify, stream_with_context

from services.auth.api.audit_files import csv_lines, json_lines
from services.auth.api.audit_schemas import AuditEntryOutput
from services.auth.api.documents import refuses
from services.auth.api.identity import require_person, subject
from services.auth.api.services import services
from services.auth.domain.audit_chain import Entry
from services.auth.storage.audit_queries import ENTRIES
from services.auth.usecases.show_audit import export_entries, show_entries, show_entry
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import file_query, key_query
from shared.api.paging import ListRequest
from shared.api.slices import set_slice_headers

blueprint = ApiBlueprint("audit", __name__, url_prefix="/api/v1", description="Who changed what")
blueprint.before_request(require_person)

_MAX_SEQUENCE = 2**63 - 1
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("/audit")
@blueprint.arguments(key_query(ENTRIES), location="query")
@blueprint.response(HTTPStatus.OK, AuditEntryOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_audit(asked: ListRequest) -> Response:
    """List the changes that the caller may know of, newest first."""
    part = show_entries(subject(), asked, database=services().database)
    return set_slice_headers(jsonify(AuditEntryOutput().dump(part.rows, many=True)), part)


@blueprint.route(f"/audit/<int(max={_MAX_SEQUENCE}):entry_id>")
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, AuditEntryOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_audit_entry(entry_id: int) -> Entry:
    """Show one change that the caller may know of."""
    return show_entry(subject(), entry_id, database=services().database)


@blueprint.route("/audit.csv")
@blueprint.arguments(file_query(ENTRIES), location="query")
@blueprint.response(HTTPStatus.OK, {"type": "string"}, content_type="text/csv")
@refuses(blueprint, HTTPStatus.BAD_REQUEST, *_REFUSED)
def export_csv(asked: ListRequest) -> Response:
    """Give all of the same list as CSV; 400 when that is more than 100000 entries."""
    entries = export_entries(subject(), asked, database=services().database)
    return _file("audit.csv", "text/csv; charset=utf-8", csv_lines(entries))


@blueprint.route("/audit.json")
@blueprint.arguments(file_query(ENTRIES), location="query")
@blueprint.response(HTTPStatus.OK, AuditEntryOutput(many=True))
@refuses(blueprint, HTTPStatus.BAD_REQUEST, *_REFUSED)
def export_json(asked: ListRequest) -> Response:
    """Give all of the same list as one JSON list; 400 when that is more than 100000 entries."""
    entries = export_entries(subject(), asked, database=services().database)
    return _file("audit.json", "application/json", json_lines(entries, AuditEntryOutput().dump))


def _file(name: str, content_type: str, lines: Iterator[str]) -> Response:
    response = Response(stream_with_context(lines), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
