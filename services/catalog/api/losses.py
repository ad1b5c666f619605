"""``/api/v1/loss-windows``: when events may have been lost, and what became of that."""

from http import HTTPStatus

from flask import Response
from marshmallow import Schema, fields

from services.catalog.api.fields import ID, list_response
from services.catalog.storage.loss_queries import LOSS_WINDOWS, WholeLossWindow
from services.catalog.usecases.show_losses import get_loss_window, list_loss_windows
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query
from shared.api.paging import ListRequest
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)


class LossWindowSchema(Schema):
    """A time in which events may have been lost."""

    id = fields.Integer(required=True)
    registry = fields.String(required=True, metadata={"description": "As its clients, or Portus, call it."})
    reason = fields.String(required=True, metadata={"description": "restart, gap or silent_push."})
    open = fields.Boolean(required=True, metadata={"description": "Whether it is still to be put right."})
    opened_at = fields.AwareDateTime(required=True)
    since = fields.AwareDateTime(required=True, metadata={"description": "When the lost events may have happened."})
    until = fields.AwareDateTime(required=True)
    everything = fields.Boolean(required=True, metadata={"description": "Any repository may be concerned."})
    repositories_count = fields.Integer(required=True, metadata={"description": "Unless any may be."})
    causes = fields.Integer(required=True, metadata={"description": "Suspicions that were folded into it."})
    missing = fields.Integer(required=True, metadata={"description": "Events that are known to be missing; of a gap."})
    attempts = fields.Integer(required=True, metadata={"description": "Crawls that have failed."})
    crawl_started_at = fields.AwareDateTime(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    repaired = fields.Integer(required=True, metadata={"description": "Tags that were missing, or elsewhere."})
    left_open = fields.Integer(
        required=True,
        metadata={"description": "Tags that differed and could not be put right; the drift report names them."},
    )


class WholeLossWindowSchema(LossWindowSchema):
    """A loss window with the repositories that it concerns."""

    repositories = fields.List(fields.String(), required=True, metadata={"description": "By name, 1000 at the most."})


def losses_blueprint(database: Database, visibility: FindCallersVisibility) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks who is calling.
    """
    blueprint = ApiBlueprint(
        "losses", __name__, url_prefix="/api/v1/loss-windows", description="When events may have been lost"
    )
    keep_private(blueprint)

    @blueprint.get("")
    @blueprint.arguments(either_query(LOSS_WINDOWS), location="query")
    @blueprint.response(HTTPStatus.OK, LossWindowSchema(many=True))
    @blueprint.refuses(*_REFUSED)
    def list_all(asked: ListRequest) -> Response:
        """List loss windows, the newest first; for administrators and auditors"""
        return list_response(LossWindowSchema(), list_loss_windows(visibility(), asked, database=database))

    @blueprint.get(f"/{ID}")
    @blueprint.response(HTTPStatus.OK, WholeLossWindowSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def show(id: int) -> WholeLossWindow:
        """Show a loss window with the repositories that it concerns; for administrators and auditors"""
        return get_loss_window(visibility(), id, database=database)

    return blueprint
