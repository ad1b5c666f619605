"""What people write beside repositories: descriptions, stars, comments."""

from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, pre_load, validate

from services.catalog.api.fields import ID, MAX_ID, list_response, refuses
from services.catalog.api.schemas import RepositorySchema
from services.catalog.storage.people import COMMENTS, CommentRow
from services.catalog.storage.repository_queries import RepositoryRow
from services.catalog.usecases.describe_repository import (
    comment,
    describe,
    reword,
    show_comment,
    show_comments,
    star,
    toggle_star,
    unstar,
    withdraw,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import either_query
from shared.api.paging import ListRequest
from shared.clock import Clock
from shared.database import Database
from shared.visibility.callers import FindCallersPermissions, FindCallersPlaces, FindCallersVisibility, keep_private

MAX_DESCRIPTION_LENGTH = 10_000
MAX_COMMENT_LENGTH = 10_000

_COMMENT = f"/repositories/{ID}/comments/<int(max={MAX_ID}):number>"
_SEEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
_WRITTEN = (*_SEEN, HTTPStatus.FORBIDDEN)


def _is_kept(value: str) -> None:
    # No database takes a NUL or half a surrogate pair.
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValidationError("must hold no NUL and no lone surrogates")


def _is_said(value: str) -> None:
    if not value.strip():
        raise ValidationError("must say something")


class DescriptionInput(Schema):
    """What is said of a repository; in an object called repository, as in the Portus API, or by itself."""

    description = fields.String(
        required=True,
        validate=[validate.Length(max=MAX_DESCRIPTION_LENGTH), _is_kept],
        metadata={"description": "Markdown; empty takes it away."},
    )

    @pre_load
    def unwrap(self, body: Any, **_options: Any) -> Any:
        """Take the values out of Portus' envelope."""
        return body["repository"] if isinstance(body, dict) and isinstance(body.get("repository"), dict) else body


class CommentInput(Schema):
    """What is said in a comment."""

    body = fields.String(
        required=True,
        validate=[validate.Length(max=MAX_COMMENT_LENGTH), _is_kept, _is_said],
        metadata={"description": "Markdown."},
    )

    @pre_load
    def unwrap(self, body: Any, **_options: Any) -> Any:
        """Take the values out of Portus' envelope."""
        return body["comment"] if isinstance(body, dict) and isinstance(body.get("comment"), dict) else body


class CommentAuthorSchema(Schema):
    """Who has written a comment."""

    username = fields.String(required=True, attribute="author")


class CommentSchema(Schema):
    """A comment."""

    id = fields.Integer(required=True)
    repository_id = fields.Integer(required=True)
    author = fields.Nested(CommentAuthorSchema, required=True, attribute="itself")
    body = fields.String(required=True, metadata={"description": "Markdown, as it came."})
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
    destroyable = fields.Boolean(required=True, metadata={"description": "Whether the caller may delete it."})

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Let the author be taken out of the comment itself."""
        return obj if attr == "itself" else super().get_attribute(obj, attr, default)


def people_blueprint(
    database: Database,
    visibility: FindCallersVisibility,
    permissions: FindCallersPermissions,
    places: FindCallersPlaces,
    *,
    clock: Clock,
) -> ApiBlueprint:
    """Build the routes."""
    blueprint = ApiBlueprint("people", __name__, url_prefix="/api/v1", description="What people write beside it")
    keep_private(blueprint)

    @blueprint.put(f"/repositories/{ID}")
    @blueprint.versioned
    @blueprint.arguments(DescriptionInput)
    @blueprint.response(200, RepositorySchema)
    @refuses(blueprint, *_WRITTEN)
    def put_repository(values: dict[str, Any], id: int) -> RepositoryRow:
        """Describe a repository; owners of its namespace may"""
        expected = if_match(RepositorySchema())
        description = values["description"]
        return describe(visibility(), permissions, places, id, description, expected=expected, database=database)

    @blueprint.put(f"/repositories/{ID}/star")
    @blueprint.response(200, RepositorySchema)
    @refuses(blueprint, *_WRITTEN)
    def put_star(id: int) -> RepositoryRow:
        """Star a repository; once is enough"""
        return star(visibility(), places, id, database=database, clock=clock)

    @blueprint.delete(f"/repositories/{ID}/star")
    @blueprint.response(200, RepositorySchema)
    @refuses(blueprint, *_WRITTEN)
    def delete_star(id: int) -> RepositoryRow:
        """Take a star back"""
        return unstar(visibility(), places, id, database=database)

    @blueprint.post(f"/repositories/{ID}/star")
    @blueprint.response(200, RepositorySchema)
    @refuses(blueprint, *_WRITTEN)
    def post_star(id: int) -> RepositoryRow:
        """Star a repository, or take the star back"""
        return toggle_star(visibility(), places, id, database=database, clock=clock)

    @blueprint.get(f"/repositories/{ID}/comments")
    @blueprint.arguments(either_query(COMMENTS), location="query")
    @blueprint.response(200, CommentSchema(many=True))
    @refuses(blueprint, *_SEEN)
    def get_comments(asked: ListRequest, id: int) -> Response:
        """List the comments on a repository, newest first"""
        return list_response(CommentSchema(), show_comments(visibility(), id, asked, database=database))

    @blueprint.post(f"/repositories/{ID}/comments")
    @blueprint.creates(".get_comment", number="id")
    @blueprint.arguments(CommentInput)
    @blueprint.response(201, CommentSchema)
    @refuses(blueprint, *_WRITTEN)
    def post_comment(values: dict[str, Any], id: int) -> CommentRow:
        """Comment on a repository; whoever sees it and has signed in may"""
        return comment(visibility(), id, values["body"], database=database, clock=clock)

    @blueprint.get(_COMMENT)
    @blueprint.response(200, CommentSchema)
    @refuses(blueprint, *_SEEN)
    def get_comment(id: int, number: int) -> CommentRow:
        """Show a comment"""
        return show_comment(visibility(), id, number, database=database)

    @blueprint.put(_COMMENT)
    @blueprint.arguments(CommentInput)
    @blueprint.response(200, CommentSchema)
    @refuses(blueprint, *_WRITTEN)
    def put_comment(values: dict[str, Any], id: int, number: int) -> CommentRow:
        """Change one's own comment"""
        return reword(visibility(), id, number, values["body"], database=database, clock=clock)

    @blueprint.delete(_COMMENT)
    @blueprint.response(204)
    @refuses(blueprint, *_WRITTEN)
    def delete_comment(id: int, number: int) -> None:
        """Delete a comment: one's own, or as an administrator anybody's"""
        withdraw(visibility(), id, number, database=database)

    return blueprint
