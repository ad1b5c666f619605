"""``/api/v1/dead-letters``: messages that could not be applied."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields

from services.notifier.api.bulk import CountSchema, expectation
from services.notifier.storage.dead_letters import DEAD_LETTERS, WholeDeadLetter
from services.notifier.usecases.manage_dead_letters import (
    drop_dead_letters,
    get_dead_letter,
    list_dead_letters,
    replay_dead_letters,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query, filter_schema
from shared.api.paging import ListRequest
from shared.api.slices import set_part_headers
from shared.clock import Clock
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

MAX_BODY_SHOWN_BYTES = 1024 * 1024

_WANTED = filter_schema("DeadLetterFilter", DEAD_LETTERS, expect=expectation())
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)

# A larger number is no id in any database.
_LETTER = "/<int(max=9223372036854775807):letter>"


class DeadLetterSchema(Schema):
    """A message that could not be applied."""

    id = fields.Integer(required=True)
    queue = fields.String(required=True, metadata={"description": "Where it died, and goes when it is replayed."})
    message_id = fields.String(required=True, allow_none=True, metadata={"description": "Null: it is no message."})
    source = fields.String(required=True, allow_none=True)
    type = fields.String(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    died_at = fields.AwareDateTime(required=True, metadata={"description": "The last time."})
    deaths = fields.Integer(required=True)
    replaying = fields.Boolean(required=True, metadata={"description": "It is on its way back to its queue."})


class WholeDeadLetterSchema(DeadLetterSchema):
    """A dead letter with its body."""

    body = fields.Function(
        lambda letter: letter.body[:MAX_BODY_SHOWN_BYTES].decode("utf-8", "replace"),
        metadata={"description": "As it was published; the first MiB.", "type": "string"},
    )
    size_bytes = fields.Function(lambda letter: len(letter.body), metadata={"type": "integer"})


def dead_letters_blueprint(database: Database, visibility: FindCallersVisibility, *, clock: Clock) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks who is calling.
    """
    blueprint = ApiBlueprint(
        "dead_letters", __name__, url_prefix="/api/v1/dead-letters", description="What could not be applied"
    )
    keep_private(blueprint)
    _add_reading(blueprint, database, visibility)
    _add_changes_of_one(blueprint, database, visibility, clock)
    _add_changes_of_many(blueprint, database, visibility, clock)
    return blueprint


def _add_reading(blueprint: ApiBlueprint, database: Database, visibility: FindCallersVisibility) -> None:
    @blueprint.get("")
    @blueprint.arguments(either_query(DEAD_LETTERS), location="query")
    @blueprint.response(HTTPStatus.OK, DeadLetterSchema(many=True))
    @blueprint.refuses(*_REFUSED)
    def list_all(asked: ListRequest) -> Response:
        """List dead letters; for administrators and auditors"""
        part = list_dead_letters(visibility(), asked, database=database)
        return set_part_headers(jsonify(DeadLetterSchema(many=True).dump(part.rows)), part)

    @blueprint.get(_LETTER)
    @blueprint.response(HTTPStatus.OK, WholeDeadLetterSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def show(letter: int) -> WholeDeadLetter:
        """Show a dead letter with its body; for administrators and auditors"""
        return get_dead_letter(visibility(), letter, database=database)


def _add_changes_of_one(
    blueprint: ApiBlueprint, database: Database, visibility: FindCallersVisibility, clock: Clock
) -> None:
    @blueprint.delete(_LETTER)
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def drop(letter: int) -> None:
        """Throw a dead letter away; for administrators"""
        drop_dead_letters(visibility(), {"id": letter}, expect=1, database=database, clock=clock)

    @blueprint.post(f"{_LETTER}/replay")
    @blueprint.response(HTTPStatus.ACCEPTED, CountSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def replay(letter: int) -> dict[str, int]:
        """Put a message back into its queue, with its id; for administrators"""
        filters = {"id": letter}
        return {"count": replay_dead_letters(visibility(), filters, expect=1, database=database, clock=clock)}


def _add_changes_of_many(
    blueprint: ApiBlueprint, database: Database, visibility: FindCallersVisibility, clock: Clock
) -> None:
    @blueprint.post("/replay")
    @blueprint.arguments(_WANTED)
    @blueprint.response(HTTPStatus.ACCEPTED, CountSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.CONFLICT)
    def replay_all(filters: dict[str, Any]) -> dict[str, int]:
        """Count messages, or put them back into their queues, with their ids; for administrators"""
        expect = filters.pop("expect")
        return {"count": replay_dead_letters(visibility(), filters, expect=expect, database=database, clock=clock)}

    @blueprint.post("/drop")
    @blueprint.arguments(_WANTED)
    @blueprint.response(HTTPStatus.OK, CountSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.CONFLICT)
    def drop_all(filters: dict[str, Any]) -> dict[str, int]:
        """Count messages, or throw them away; for administrators"""
        expect = filters.pop("expect")
        return {"count": drop_dead_letters(visibility(), filters, expect=expect, database=database, clock=clock)}
