"""``/api/v1/search``: whatever somebody types or pastes."""

from http import HTTPStatus
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from services.catalog.api.schemas import registry_host
from services.catalog.domain.search import MAX_QUERY_LENGTH
from services.catalog.usecases.search import Found, search
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import PRINTABLE
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

MAX_PER_KIND = 100


def _not_blank(query: str) -> None:
    if not query.strip():
        raise ValidationError("is empty")


class SearchQuery(Schema):
    """What is looked for."""

    q = fields.String(
        required=True,
        validate=[validate.Length(1, MAX_QUERY_LENGTH), PRINTABLE, _not_blank],
        metadata={
            "description": "Any part of a repository's name; the beginning of a tag, a digest (six digits at least), a"
            " label's or annotation's key (or key=value) or a person; or [host/]repository[:tag][@digest]."
        },
    )
    per_kind = fields.Integer(load_default=10, validate=validate.Range(1, MAX_PER_KIND))


class RepositoryHitSchema(Schema):
    """A repository."""

    repository_id = fields.Integer(required=True)
    repository = fields.String(required=True, metadata={"description": "Its full name."})
    tags_count = fields.Integer(required=True)
    description = fields.String(required=True, allow_none=True)


class TagHitSchema(Schema):
    """A tag."""

    tag_id = fields.Integer(required=True)
    tag = fields.String(required=True)
    digest = fields.String(required=True)
    repository_id = fields.Integer(required=True)
    repository = fields.String(required=True)


class DigestHitSchema(Schema):
    """A manifest in a repository."""

    digest = fields.String(required=True)
    repository_id = fields.Integer(required=True)
    repository = fields.String(required=True)


class LabelHitSchema(DigestHitSchema):
    """A manifest in a repository, for what it says of itself."""

    key = fields.String(required=True)
    value = fields.String(required=True)
    is_annotation = fields.Boolean(
        required=True, metadata={"description": "Of the manifest; else a label of its configuration."}
    )


class PersonHitSchema(Schema):
    """Somebody who has pushed."""

    username = fields.String(required=True)


class ExactSchema(DigestHitSchema):
    """The one thing that was named in full."""

    tag_id = fields.Integer(metadata={"description": "Missing for a digest."})
    tag = fields.String(metadata={"description": "Missing for a digest."})


class FoundSchema(Schema):
    """What was found, of each kind."""

    exact = fields.Nested(
        ExactSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What a whole reference names."},
    )
    repositories = fields.List(fields.Nested(RepositoryHitSchema), required=True)
    tags = fields.List(fields.Nested(TagHitSchema), required=True)
    digests = fields.List(fields.Nested(DigestHitSchema), required=True)
    labels = fields.List(fields.Nested(LabelHitSchema), required=True)
    people = fields.List(fields.Nested(PersonHitSchema), required=True)
    more = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Kinds of which there is more; the lists of repositories and tags can be walked."},
    )


def search_blueprint(database: Database, visibility: FindCallersVisibility) -> ApiBlueprint:
    """Build the route.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = ApiBlueprint("search", __name__, url_prefix="/api/v1", description="Searching the index")
    keep_private(blueprint)

    @blueprint.get("/search")
    @blueprint.arguments(SearchQuery, location="query")
    @blueprint.response(HTTPStatus.OK, FoundSchema)
    @blueprint.refuses(HTTPStatus.UNAUTHORIZED)
    def find(asked: dict[str, Any]) -> Found:
        """Search repositories, tags, digests, labels, annotations and people, as far as the caller may pull"""
        return search(visibility(), asked["q"], per_kind=asked["per_kind"], host=registry_host(), database=database)

    return blueprint
