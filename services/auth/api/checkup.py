"""``/api/v1/_ping`` and ``/api/v1/health``, as in Portus, for anybody: neither costs anything."""

from http import HTTPStatus

from flask import Response, jsonify
from marshmallow import Schema, fields

from services.auth.api.services import services
from shared.api.blueprints import ApiBlueprint
from shared.api.checkups import Report

blueprint = ApiBlueprint("checkup", __name__, url_prefix="/api/v1", description="Whether the parts work")


class PingOutput(Schema):
    """A sign of life."""

    status = fields.String()


class FindingOutput(Schema):
    """Whether one part works."""

    msg = fields.String()
    success = fields.Boolean()


class HealthOutput(Schema):
    """Every part."""

    database = fields.Nested(FindingOutput)
    registry = fields.Nested(FindingOutput)


@blueprint.route("/_ping")
@blueprint.doc(security=[])
@blueprint.response(HTTPStatus.OK, PingOutput)
def ping() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@blueprint.route("/health")
@blueprint.doc(security=[])
@blueprint.response(HTTPStatus.OK, HealthOutput)
@blueprint.alt_response(HTTPStatus.SERVICE_UNAVAILABLE, schema=HealthOutput, content_type="application/json")
def show_health() -> Response:
    """Tell which parts work; looked at once in a few seconds, however many ask."""
    report: Report = services().checkup()
    healthy = bool(report) and all(finding.success for finding in report.values())
    response = jsonify(HealthOutput().dump(report))
    response.status_code = HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE
    return response
