"""``/api/v1/quarantine``: events of registries that nobody understood."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields

from services.notifier.api.bulk import CountSchema, expectation
from services.notifier.storage.quarantine import QUARANTINE, WholeQuarantinedEvent
from services.notifier.usecases.accept_envelope import StoreEvents
from services.notifier.usecases.manage_quarantine import (
    ReadAgain,
    drop_quarantined_event,
    drop_quarantined_events,
    get_quarantined_event,
    list_quarantined_events,
    replay_quarantined_event,
    replay_quarantined_events,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query, filter_schema
from shared.api.paging import ListRequest
from shared.api.slices import set_part_headers
from shared.clock import Clock
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

_WANTED = filter_schema("QuarantineFilter", QUARANTINE, expect=expectation())
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)

# A larger number is no id in any database.
_EVENT = "/<int(max=9223372036854775807):event>"


class QuarantinedEventSchema(Schema):
    """An event that nobody understood."""

    id = fields.Integer(required=True)
    event_id = fields.String(required=True, metadata={"description": "Of the message that brought it."})
    received_at = fields.AwareDateTime(required=True)
    reason = fields.String(required=True)


class WholeQuarantinedEventSchema(QuarantinedEventSchema):
    """A quarantined event as it was received."""

    raw = fields.String(required=True, metadata={"description": "The event, or the whole body; the first 64 KiB."})


class ReadAgainSchema(CountSchema):
    """What came of reading events again."""

    replayed = fields.Integer(required=True, metadata={"description": "How many were understood this time."})


def quarantine_blueprint(
    database: Database, visibility: FindCallersVisibility, store: StoreEvents, *, clock: Clock
) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks who is calling.
        store: makes events durable that are understood at last.
    """
    blueprint = ApiBlueprint(
        "quarantine", __name__, url_prefix="/api/v1/quarantine", description="What nobody understood"
    )
    keep_private(blueprint)
    _add_reading(blueprint, database, visibility)
    _add_dropping(blueprint, database, visibility, clock)
    _add_replaying(blueprint, database, visibility, store, clock)
    return blueprint


def _add_reading(blueprint: ApiBlueprint, database: Database, visibility: FindCallersVisibility) -> None:
    @blueprint.get("")
    @blueprint.arguments(either_query(QUARANTINE), location="query")
    @blueprint.response(HTTPStatus.OK, QuarantinedEventSchema(many=True))
    @blueprint.refuses(*_REFUSED)
    def list_all(asked: ListRequest) -> Response:
        """List quarantined events; for administrators and auditors"""
        part = list_quarantined_events(visibility(), asked, database=database)
        return set_part_headers(jsonify(QuarantinedEventSchema(many=True).dump(part.rows)), part)

    @blueprint.get(_EVENT)
    @blueprint.response(HTTPStatus.OK, WholeQuarantinedEventSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def show(event: int) -> WholeQuarantinedEvent:
        """Show a quarantined event as it was received; for administrators and auditors"""
        return get_quarantined_event(visibility(), event, database=database)


def _add_dropping(blueprint: ApiBlueprint, database: Database, visibility: FindCallersVisibility, clock: Clock) -> None:
    @blueprint.delete(_EVENT)
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def drop(event: int) -> None:
        """Throw a quarantined event away; for administrators"""
        drop_quarantined_event(visibility(), event, database=database, clock=clock)

    @blueprint.post("/drop")
    @blueprint.arguments(_WANTED)
    @blueprint.response(HTTPStatus.OK, CountSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.CONFLICT)
    def drop_all(filters: dict[str, Any]) -> dict[str, int]:
        """Count quarantined events, or throw them away; for administrators"""
        expect = filters.pop("expect")
        return {"count": drop_quarantined_events(visibility(), filters, expect=expect, database=database, clock=clock)}


def _add_replaying(
    blueprint: ApiBlueprint, database: Database, visibility: FindCallersVisibility, store: StoreEvents, clock: Clock
) -> None:
    @blueprint.post(f"{_EVENT}/replay")
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
    def replay(event: int) -> None:
        """Read an event again: 204 when it is understood now and on its way; for administrators"""
        replay_quarantined_event(visibility(), event, store=store, database=database, clock=clock)

    @blueprint.post("/replay")
    @blueprint.arguments(_WANTED)
    @blueprint.response(HTTPStatus.OK, ReadAgainSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.CONFLICT)
    def replay_all(filters: dict[str, Any]) -> ReadAgain:
        """Count events, or read them again, 1000 at most; those not understood stay; for administrators"""
        expect = filters.pop("expect")
        return replay_quarantined_events(
            visibility(), filters, expect=expect, store=store, database=database, clock=clock
        )
