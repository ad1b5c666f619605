"""``/api/v1/crawls`` and ``/api/v1/drift``: when the index was compared with the registry, and what differed."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, url_for
from marshmallow import Schema, fields, validate

from services.catalog.api.fields import ID, list_response
from services.catalog.domain.drift import Cause, Kind, State, explain_cause, remedy_of
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import CRAWLS, Crawl
from services.catalog.storage.drift import DRIFT
from services.catalog.usecases.rounds import get_crawl, request_crawl, show_crawls, show_drift
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query, key_query
from shared.api.paging import ListRequest
from shared.clock import Clock
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)


class CrawlInput(Schema):
    """What is to be read."""

    kind = fields.Enum(
        CrawlKind,
        by_value=True,
        load_default=CrawlKind.ROUND,
        validate=validate.OneOf([CrawlKind.ROUND, CrawlKind.FULL]),
        metadata={"description": "round: what has changed, and a share of all else. full: every tag."},
    )


class CrawlSchema(Schema):
    """A comparison of the index with the registry."""

    id = fields.Integer(required=True)
    kind = fields.Enum(CrawlKind, by_value=True, required=True)
    started_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Null: it goes on, or waits to be taken up again."}
    )
    duration_s = fields.Float(required=True, allow_none=True)
    repositories = fields.Integer(required=True)
    tags = fields.Integer(required=True)
    failures = fields.Integer(
        required=True,
        metadata={"description": "Repositories that could not be read, and 1 for a catalogue that broke off."},
    )
    repaired = fields.Integer(required=True, metadata={"description": "Tags that were put right in the index."})
    removed = fields.Integer(required=True, metadata={"description": "Tags that the index let go of."})
    verified = fields.Integer(required=True, metadata={"description": "Repositories of which every tag was looked at."})
    drift = fields.Integer(required=True, metadata={"description": "Differences that were found."})
    restarts = fields.Integer(required=True, metadata={"description": "How often it was taken up again."})
    position = fields.String(
        required=True, allow_none=True, metadata={"description": "The repository up to which all are read."}
    )
    requested_by = fields.String(required=True, allow_none=True, metadata={"description": "Null: it was due."})
    fault = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it was broken off last, or its catalogue was."}
    )


class DriftSchema(Schema):
    """A difference between the index and the registry."""

    id = fields.Integer(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    namespace = fields.String(required=True, allow_none=True)
    repository = fields.String(required=True, metadata={"description": "Empty: it is about a namespace."})
    tag = fields.String(required=True, metadata={"description": "Empty: it is about a repository, or a namespace."})
    indexed_digest = fields.String(required=True, allow_none=True)
    found_digest = fields.String(required=True, allow_none=True)
    cause = fields.Enum(Cause, by_value=True, required=True, metadata={"description": "The probable one."})
    cause_text = fields.Function(lambda row: explain_cause(row.cause), metadata={"type": "string"})
    state = fields.Enum(State, by_value=True, required=True)
    remedy = fields.Function(lambda row: remedy_of(row.kind, row.state), metadata={"type": "string"})
    first_seen_at = fields.AwareDateTime(required=True)
    last_seen_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    rounds = fields.Integer(required=True, metadata={"description": "How many crawls have found it."})
    crawl_id = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The one that found it last. Null: it was found in what was read after a loss."},
    )


def rounds_blueprint(database: Database, visibility: FindCallersVisibility, *, clock: Clock) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks who is calling.
    """
    blueprint = ApiBlueprint(
        "rounds", __name__, url_prefix="/api/v1", description="Comparing the index with the registry"
    )
    keep_private(blueprint)

    @blueprint.get("/crawls")
    @blueprint.arguments(either_query(CRAWLS), location="query")
    @blueprint.response(HTTPStatus.OK, CrawlSchema(many=True))
    @blueprint.refuses(*_REFUSED)
    def crawls(asked: ListRequest) -> Response:
        """List crawls, the newest first; for administrators and auditors"""
        return list_response(CrawlSchema(), show_crawls(visibility(), asked, database=database))

    @blueprint.post("/crawls")
    @blueprint.arguments(CrawlInput)
    @blueprint.response(HTTPStatus.ACCEPTED, CrawlSchema)
    @blueprint.refuses(*_REFUSED)
    def start(wanted: dict[str, Any]) -> Response:
        """Ask for a crawl, which a worker begins within seconds, or show the one under way; for administrators"""
        requested = request_crawl(visibility(), wanted["kind"], database=database, clock=clock)
        response: Response = jsonify(CrawlSchema().dump(requested.crawl))
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Location"] = url_for(".crawl", id=requested.crawl.id)
        return response

    @blueprint.get(f"/crawls/{ID}")
    @blueprint.response(HTTPStatus.OK, CrawlSchema)
    @blueprint.refuses(*_REFUSED, HTTPStatus.NOT_FOUND)
    def crawl(id: int) -> Crawl:
        """Show a crawl and how far it has come; for administrators and auditors"""
        return get_crawl(visibility(), id, database=database)

    @blueprint.get("/drift")
    @blueprint.arguments(key_query(DRIFT), location="query")
    @blueprint.response(HTTPStatus.OK, DriftSchema(many=True))
    @blueprint.refuses(*_REFUSED)
    def drift(asked: ListRequest) -> Response:
        """List differences between index and registry, the newest first; for administrators and auditors"""
        return list_response(DriftSchema(), show_drift(visibility(), asked, database=database))

    return blueprint
