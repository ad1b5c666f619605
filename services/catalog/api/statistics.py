"""``/api/v1/statistics``, and what one repository takes up."""

from http import HTTPStatus
from typing import Any

from marshmallow import Schema, fields, validate

from services.catalog.api.fields import ID
from services.catalog.usecases.show_statistics import (
    RepositoryUsage,
    Statistics,
    show_repository_days,
    show_repository_usage,
    show_statistics,
)
from shared.api.blueprints import ApiBlueprint
from shared.clock import Clock
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

MAX_DAYS = 366


class StatisticsQuery(Schema):
    """How far back is looked."""

    days = fields.Integer(
        load_default=30, validate=validate.Range(1, MAX_DAYS), metadata={"description": "Today among them."}
    )


class TotalsSchema(Schema):
    """What there is, together."""

    repositories = fields.Integer(required=True)
    tags = fields.Integer(required=True)
    size_bytes = fields.Integer(
        required=True, metadata={"description": "Sum over the repositories: what two of them share counts in both."}
    )
    pulls = fields.Integer(required=True)


class NamespaceTotalsSchema(TotalsSchema):
    """What there is in a namespace."""

    namespace = fields.String(required=True, allow_none=True, metadata={"description": "Null: the global one."})


class DaySchema(Schema):
    """What happened on a day, by UTC."""

    day = fields.Date(required=True)
    pushes = fields.Integer(required=True)
    pulls = fields.Integer(required=True)


class PulledSchema(Schema):
    """A repository that is pulled much."""

    repository_id = fields.Integer(required=True)
    repository = fields.String(required=True)
    pulls = fields.Integer(required=True)


class PushedSchema(Schema):
    """A tag that was written lately."""

    repository_id = fields.Integer(required=True)
    repository = fields.String(required=True)
    tag = fields.String(required=True)
    digest = fields.String(required=True)
    pushed_at = fields.AwareDateTime(required=True, allow_none=True)
    pushed_by = fields.String(required=True, allow_none=True)
    updated_at = fields.AwareDateTime(required=True)


class StatisticsSchema(Schema):
    """How much there is, and how much happens."""

    totals = fields.Nested(TotalsSchema, required=True)
    days = fields.List(fields.Nested(DaySchema), required=True, metadata={"description": "Each day, the oldest first."})
    namespaces = fields.List(
        fields.Nested(NamespaceTotalsSchema), required=True, metadata={"description": "The 20 with the most bytes."}
    )
    most_pulled = fields.List(
        fields.Nested(PulledSchema), required=True, metadata={"description": "The 10 that were pulled most then."}
    )
    latest = fields.List(
        fields.Nested(PushedSchema),
        required=True,
        metadata={"description": "The newest tag of each of the 10 repositories that changed last."},
    )


class RepositoryStatisticsSchema(Schema):
    """How much happens in one repository."""

    days = fields.List(fields.Nested(DaySchema), required=True, metadata={"description": "Each day, the oldest first."})


class RepositoryUsageSchema(Schema):
    """What a repository takes up."""

    repository_id = fields.Integer(required=True, attribute="repository.id")
    tags = fields.Integer(required=True, attribute="repository.tags_count")
    size_bytes = fields.Integer(required=True, attribute="repository.size_bytes")
    unique_bytes = fields.Integer(
        required=True, metadata={"description": "What no other repository shares: it would go with the repository."}
    )
    is_exact = fields.Boolean(required=True, metadata={"description": "Whether everything in it is known."})


def statistics_blueprint(database: Database, visibility: FindCallersVisibility, *, clock: Clock) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = ApiBlueprint("statistics", __name__, url_prefix="/api/v1", description="How much there is and happens")
    keep_private(blueprint)

    @blueprint.get("/statistics")
    @blueprint.arguments(StatisticsQuery, location="query")
    @blueprint.response(HTTPStatus.OK, StatisticsSchema)
    @blueprint.refuses(HTTPStatus.UNAUTHORIZED)
    def statistics(asked: dict[str, Any]) -> Statistics:
        """Tell how much there is and how much is pushed and pulled, in what the caller may pull"""
        return show_statistics(visibility(), days=asked["days"], database=database, clock=clock)

    @blueprint.get(f"/repositories/{ID}/statistics")
    @blueprint.arguments(StatisticsQuery, location="query")
    @blueprint.response(HTTPStatus.OK, RepositoryStatisticsSchema)
    @blueprint.refuses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
    def of_repository(asked: dict[str, Any], id: int) -> dict[str, Any]:
        """Tell how much is pushed to a repository and pulled from it, by day"""
        return {"days": show_repository_days(visibility(), id, days=asked["days"], database=database, clock=clock)}

    @blueprint.get(f"/repositories/{ID}/usage")
    @blueprint.response(HTTPStatus.OK, RepositoryUsageSchema)
    @blueprint.refuses(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
    def usage(id: int) -> RepositoryUsage:
        """Tell what a repository takes up, and how much of it no other repository shares"""
        return show_repository_usage(visibility(), id, database=database)

    return blueprint
