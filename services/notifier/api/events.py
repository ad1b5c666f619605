"""``GET /api/v1/events``: the event log, to be followed from any point."""

from collections.abc import Sequence
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from services.notifier.api.fields import KeysetQuery, text
from services.notifier.api.keyset import describe_next
from services.notifier.storage.event_queries import EventFilter, LoggedEvent
from services.notifier.usecases.read_events import read_events
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private


class EventQuery(KeysetQuery):
    """Which events."""

    type = text("Only those of exactly this type.")
    repository = text("Only those about the repository with exactly this full name.")
    namespace = text("Only those about this namespace.")


class EventSchema(Schema):
    """An event, with the names of CloudEvents 1.0."""

    sequence = fields.Integer(required=True, metadata={"description": "Its place in the log; grows, with gaps."})
    source = fields.String(required=True)
    id = fields.String(required=True, metadata={"description": "Unique together with the source."})
    type = fields.String(required=True)
    time = fields.AwareDateTime(required=True, metadata={"description": "When it happened."})
    recorded_at = fields.AwareDateTime(required=True, metadata={"description": "When it came into the log."})
    subject = fields.String(required=True, allow_none=True)
    repository = fields.String(required=True, allow_none=True)
    namespace = fields.String(required=True, allow_none=True)
    data = fields.Dict(required=True, metadata={"description": "As docs/contracts/events.schema.json says by type."})


def events_blueprint(database: Database, visibility: FindCallersVisibility) -> Blueprint:
    """Build the route.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = Blueprint("events", __name__, url_prefix="/api/v1", description="What happened")
    keep_private(blueprint)

    @blueprint.get("/events")
    @blueprint.arguments(EventQuery, location="query")
    @blueprint.response(200, EventSchema(many=True))
    @blueprint.alt_response(401, "UNAUTHORIZED")
    @blueprint.alt_response(410, "GONE")
    def events(query: dict[str, Any]) -> Sequence[LoggedEvent]:
        """List the events behind a number, oldest first, of repositories that the caller may pull from"""
        wanted = EventFilter(query["type"], query["repository"], query["namespace"])
        stretch = read_events(visibility(), wanted, after=query["after"], limit=query["limit"], database=database)
        describe_next(stretch.next_after, more=stretch.next_after < stretch.end, last_sequence=stretch.end)
        return stretch.events

    return blueprint
