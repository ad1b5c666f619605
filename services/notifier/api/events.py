"""``GET /api/v1/events``: the event log, to be followed from any point."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, ValidationError, fields, validate

from services.notifier.storage.event_queries import EventFilter, Stretch
from services.notifier.usecases.read_events import read_events
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import MAX_FILTER_LENGTH
from shared.api.paging import address_with
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_SEQUENCE = 2**63 - 1


def _printable(value: str) -> None:
    # A database takes no NUL, and nothing else of the kind is in any name either.
    if not value.isprintable():
        raise ValidationError("must hold no control characters")


def _word(description: str) -> fields.String:
    return fields.String(
        load_default=None,
        validate=[validate.Length(max=MAX_FILTER_LENGTH), _printable],
        metadata={"description": description},
    )


class EventQuery(Schema):
    """Which events, and from where on."""

    after = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MAX_SEQUENCE),
        metadata={"description": "Only what comes behind this number; 0 begins with the oldest that is kept."},
    )
    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many at the most."},
    )
    type = _word("Only those of exactly this type.")
    repository = _word("Only those about the repository with exactly this full name.")
    namespace = _word("Only those about this namespace.")


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


def events_blueprint(database: Database, visibility: FindCallersVisibility) -> ApiBlueprint:
    """Build the route.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = ApiBlueprint("events", __name__, url_prefix="/api/v1", description="What happened")
    keep_private(blueprint)

    @blueprint.get("/events")
    @blueprint.arguments(EventQuery, location="query")
    @blueprint.response(HTTPStatus.OK, EventSchema(many=True))
    @blueprint.alt_response(401, response="UNAUTHORIZED")
    @blueprint.alt_response(410, response="GONE")
    @blueprint.alt_response(503, response="SERVICE_UNAVAILABLE")
    def events(query: dict[str, Any]) -> Response:
        """List the events behind a number, oldest first, of repositories that the caller may pull from"""
        wanted = EventFilter(query["type"], query["repository"], query["namespace"])
        return _response(
            read_events(visibility(), wanted, after=query["after"], limit=query["limit"], database=database)
        )

    return blueprint


def _response(stretch: Stretch) -> Response:
    response = jsonify(EventSchema(many=True).dump(stretch.events))
    response.headers["X-Next-After"] = str(stretch.next_after)
    response.headers["X-Last-Sequence"] = str(stretch.end)
    if stretch.next_after < stretch.end:
        response.headers["Link"] = f'<{address_with("after", stretch.next_after)}>; rel="next"'
    return response
