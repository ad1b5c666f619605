"""``/api/v1/repositories`` and ``/api/v1/freshness``."""

from collections.abc import Sequence
from typing import Any

from flask import Response, after_this_request
from flask_smorest import Blueprint

from services.catalog.api.fields import ID
from services.catalog.api.schemas import (
    FreshnessSchema,
    RepositoryListQuery,
    RepositorySchema,
    TagListQuery,
    TagSchema,
)
from services.catalog.storage.repository_queries import RepositoryFilter, RepositoryRow
from services.catalog.storage.tag_queries import TagRow
from services.catalog.usecases.browse import (
    Freshness,
    get_freshness,
    get_repository,
    list_repositories,
    list_tags,
)
from shared.api.paging import Page, PageRequest, set_page_headers
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private


def repositories_blueprint(database: Database, visibility: FindCallersVisibility) -> Blueprint:
    """Build the routes.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = Blueprint("repositories", __name__, url_prefix="/api/v1", description="What is in the registry")
    keep_private(blueprint)

    @blueprint.get("/repositories")
    @blueprint.arguments(RepositoryListQuery, location="query")
    @blueprint.response(200, RepositorySchema(many=True))
    def repositories(query: dict[str, Any]) -> Sequence[RepositoryRow]:
        """List the repositories that the caller may pull from, by name"""
        wanted = RepositoryFilter(query["namespace"], query["name"], query["q"])
        return _rows(list_repositories(visibility(), wanted, _page(query), database=database))

    @blueprint.get(f"/repositories/{ID}")
    @blueprint.response(200, RepositorySchema)
    @blueprint.alt_response(404, "NOT_FOUND")
    def repository(id: int) -> RepositoryRow:
        """Show one repository"""
        return get_repository(visibility(), id, database=database)

    @blueprint.get(f"/repositories/{ID}/tags")
    @blueprint.arguments(TagListQuery, location="query")
    @blueprint.response(200, TagSchema(many=True))
    @blueprint.alt_response(404, "NOT_FOUND")
    def tags(query: dict[str, Any], id: int) -> Sequence[TagRow]:
        """List a repository's tags, newest push first"""
        return _rows(list_tags(visibility(), id, _page(query), q=query["q"], database=database))

    @blueprint.get("/freshness")
    @blueprint.doc(security=[])
    @blueprint.response(200, FreshnessSchema)
    def freshness() -> Freshness:
        """Tell how far the index has come; needs no credentials"""
        return get_freshness(database=database)

    return blueprint


def _page(query: dict[str, Any]) -> PageRequest:
    return PageRequest(query["page"], query["per_page"])


def _rows(page: Page[Any]) -> Sequence[Any]:
    @after_this_request
    def describe(response: Response) -> Response:
        return set_page_headers(response, page)

    return page.rows
