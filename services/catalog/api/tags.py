"""``/api/v1/tags`` and ``/api/v1/repositories/:id/tags``."""

from http import HTTPStatus

from flask import Response, jsonify
from marshmallow import Schema, fields

from services.catalog.api.fields import ID, MAX_ID, list_response, refuses
from services.catalog.api.scans import scan_field, show_scanned, worst_field
from services.catalog.domain.referrers import Kind
from services.catalog.storage.tag_rows import GROUPS, TAGS, TAGS_OF_ONE, TagRow
from services.catalog.usecases.browse import get_tag, list_tag_groups, list_tags
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query
from shared.api.paging import ListRequest
from shared.api.slices import set_part_headers
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

_LISTED = (HTTPStatus.UNAUTHORIZED,)
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


class PlatformSchema(Schema):
    """One image that a tag offers."""

    os = fields.String(required=True)
    architecture = fields.String(required=True)
    variant = fields.String(required=True, allow_none=True)
    digest = fields.String(required=True)
    size_bytes = fields.Integer(required=True, allow_none=True)


class AuthorSchema(Schema):
    """Who pushed a tag."""

    name = fields.String(required=True, attribute="pushed_by")


class TagSchema(Schema):
    """A tag; what its manifest says is null while ``known`` is false."""

    id = fields.Integer(required=True)
    repository_id = fields.Integer(required=True)
    repository = fields.String(required=True, metadata={"description": "Its full name."})
    name = fields.String(required=True)
    digest = fields.String(required=True)
    media_type = fields.String(required=True, allow_none=True)
    artifact_type = fields.String(required=True, allow_none=True)
    size_bytes = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Configuration and layers, compressed; of an index the sum over its children."},
    )
    platforms = fields.List(fields.Nested(PlatformSchema), required=True)
    updated_at = fields.AwareDateTime(
        required=True, metadata={"description": "When it was last written: pushed, or seen by a crawl."}
    )
    first_seen_at = fields.AwareDateTime(required=True)
    pushed_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "Null: not witnessed."})
    pushed_by = fields.String(required=True, allow_none=True)
    pulled_at = fields.AwareDateTime(required=True, allow_none=True)
    pulls = fields.Integer(
        required=True, metadata={"description": "By this tag, and by the digest it points at; checks do not count."}
    )
    known = fields.Boolean(required=True, metadata={"description": "Whether the manifest has been fetched."})
    referrers = fields.Integer(
        required=True, metadata={"description": "How much is about its manifest: signatures, attestations, …"}
    )
    referrer_kinds = fields.List(
        fields.Enum(Kind, by_value=True), required=True, metadata={"description": "Of what kinds those are."}
    )
    immutable = fields.Boolean(required=True, metadata={"description": "Whether a rule says that it must not move."})
    overwritten = fields.Boolean(
        required=True,
        metadata={"description": "Whether it pointed at something else before, as far back as the history goes."},
    )
    dangling = fields.Boolean(
        required=True,
        metadata={"description": "Whether the registry lists it and has no manifest for it, as a crawl found."},
    )
    scan = scan_field()
    scanned = fields.Function(
        lambda row: show_scanned(row.scan),
        metadata={"type": "integer", "enum": [0, 1, 2], "description": "0 not scanned, 1 under way, 2 scanned."},
    )
    vulnerabilities = worst_field()
    # The same, as the Portus API calls it.
    author = fields.Function(
        lambda row: AuthorSchema().dump(row) if row.pushed_by else None,
        metadata={"type": ["object", "null"], "description": "Who pushed it; as in the Portus API."},
    )
    image_id = fields.Function(
        lambda row: row.config_digest.partition(":")[2] if row.config_digest else "",
        metadata={"type": "string", "description": "Digest of the configuration, bare; as in the Portus API."},
    )
    size = fields.Integer(required=True, allow_none=True, attribute="size_bytes", dump_only=True)
    created_at = fields.AwareDateTime(required=True, attribute="first_seen_at", dump_only=True)


class TagQuery(Schema):
    """What is shown with a tag."""

    vulnerabilities = fields.Boolean(
        load_default=False, metadata={"description": "With the worst of what was found in it."}
    )


def tags_blueprint(database: Database, visibility: FindCallersVisibility) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = ApiBlueprint("tags", __name__, url_prefix="/api/v1", description="What repositories hold")
    keep_private(blueprint)

    @blueprint.get("/tags")
    @blueprint.arguments(either_query(TAGS), location="query")
    @blueprint.response(200, TagSchema(many=True))
    @refuses(blueprint, *_LISTED)
    def all_tags(asked: ListRequest) -> Response:
        """List the tags of all repositories that the caller may pull from, newest push first"""
        return list_response(TagSchema(), list_tags(visibility(), asked, database=database))

    @blueprint.get(f"/tags/{ID}")
    @blueprint.arguments(TagQuery, location="query")
    @blueprint.response(200, TagSchema)
    @refuses(blueprint, *_REFUSALS)
    def tag(query: dict[str, bool], id: int) -> TagRow:
        """Show one tag"""
        return get_tag(visibility(), id, with_findings=query["vulnerabilities"], database=database)

    @blueprint.get(f"/repositories/{ID}/tags")
    @blueprint.arguments(either_query(TAGS_OF_ONE), location="query")
    @blueprint.response(200, TagSchema(many=True))
    @refuses(blueprint, *_REFUSALS)
    def tags(asked: ListRequest, id: int) -> Response:
        """List a repository's tags, newest push first"""
        return list_response(TagSchema(), list_tags(visibility(), asked, repository=id, database=database))

    @blueprint.get(f"/repositories/{ID}/tags/grouped")
    @blueprint.arguments(either_query(GROUPS, whole=False), location="query")
    @blueprint.response(200, {"type": "array", "items": {"type": "array", "items": TagSchema}})
    @refuses(blueprint, *_REFUSALS)
    def groups(asked: ListRequest, id: int) -> Response:
        """List a repository's tags by digest, the newest group first; of each digest the newest 1 000"""
        part = list_tag_groups(visibility(), id, asked, database=database)
        return set_part_headers(jsonify([TagSchema(many=True).dump(group) for group in part.rows]), part)

    @blueprint.get(f"/repositories/{ID}/tags/<int(max={MAX_ID}):number>")
    @blueprint.arguments(TagQuery, location="query")
    @blueprint.response(200, TagSchema)
    @refuses(blueprint, *_REFUSALS)
    def tag_of_repository(query: dict[str, bool], id: int, number: int) -> TagRow:
        """Show one tag of a repository"""
        wanted = query["vulnerabilities"]
        return get_tag(visibility(), number, repository=id, with_findings=wanted, database=database)

    return blueprint
