"""``/api/v1/repositories``, those of a namespace, and ``/api/v1/freshness``."""

from dataclasses import replace
from http import HTTPStatus

from flask import Response

from services.catalog.api.fields import ID, NAMESPACE_ID, list_response, refuses
from services.catalog.api.schemas import FreshnessSchema, RepositorySchema, stored_namespace
from services.catalog.storage.repository_queries import REPOSITORIES, RepositoryRow
from services.catalog.usecases.browse import (
    Freshness,
    get_freshness,
    get_repository,
    list_repositories,
    list_repositories_of_namespace,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query
from shared.api.paging import ListRequest
from shared.database import Database
from shared.visibility.callers import FindCallersPlaces, FindCallersVisibility, FindVisibilityIn, keep_private

_NAMESPACE = "namespace"
UNAUTHORIZED, NOT_FOUND = HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND


def repositories_blueprint(
    database: Database, visibility: FindCallersVisibility, visibility_in: FindVisibilityIn, places: FindCallersPlaces
) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks what the present caller may see.
        visibility_in: asks the same, and what a namespace is called.
        places: asks where repositories lie, and what the present caller may do to them.
    """
    blueprint = ApiBlueprint("repositories", __name__, url_prefix="/api/v1", description="What is in the registry")
    keep_private(blueprint)

    @blueprint.get("/repositories")
    @blueprint.arguments(either_query(REPOSITORIES), location="query")
    @blueprint.response(200, RepositorySchema(many=True))
    @refuses(blueprint, UNAUTHORIZED)
    def repositories(asked: ListRequest) -> Response:
        """List the repositories that the caller may pull from, by name"""
        found = list_repositories(visibility(), places, _as_stored(asked), database=database)
        return list_response(RepositorySchema(), found)

    @blueprint.get(f"/namespaces/{NAMESPACE_ID}/repositories")
    @blueprint.arguments(either_query(REPOSITORIES), location="query")
    @blueprint.response(200, RepositorySchema(many=True))
    @refuses(blueprint, UNAUTHORIZED, NOT_FOUND)
    def repositories_of_namespace(asked: ListRequest, id: int) -> Response:
        """List the repositories of a namespace that the caller may pull from, by name"""
        found = list_repositories_of_namespace(visibility_in(id), places, _as_stored(asked), database=database)
        return list_response(RepositorySchema(), found)

    @blueprint.get(f"/repositories/{ID}")
    @blueprint.versioned
    @blueprint.response(200, RepositorySchema)
    @refuses(blueprint, UNAUTHORIZED, NOT_FOUND)
    def repository(id: int) -> RepositoryRow:
        """Show one repository"""
        return get_repository(visibility(), places, id, database=database)

    @blueprint.get("/freshness")
    @blueprint.doc(security=[])
    @blueprint.response(200, FreshnessSchema)
    def freshness() -> Freshness:
        """Tell how far the index has come; needs no credentials"""
        return get_freshness(database=database)

    return blueprint


def _as_stored(asked: ListRequest) -> ListRequest:
    """Let the global namespace be asked for by the name that it is shown under."""
    if _NAMESPACE not in asked.filters:
        return asked
    return replace(asked, filters={**asked.filters, _NAMESPACE: stored_namespace(asked.filters[_NAMESPACE])})
