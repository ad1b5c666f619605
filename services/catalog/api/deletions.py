"""Deleting tags, manifests and repositories; ``dry_run`` tells what would go."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from flask import Response, jsonify
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, post_load, validate

from services.catalog.api.fields import ID, View, load_digest, refuses
from services.catalog.domain.deletions import DeletionPlan, Method
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.delete_tags import MAX_TAGS, ChosenTag, TagOutcome, delete_tags, preview_tags
from services.catalog.usecases.request_deletion import (
    delete_manifest,
    delete_repository,
    delete_tag,
    preview_manifest,
    preview_repository,
    preview_tag,
)
from shared.oci.names import InvalidName, parse_digest, parse_tag
from shared.visibility.callers import FindCallersPermissions, FindCallersVisibility, keep_private

METHOD_HEADER = "X-Portus-Deletion"
"""How it was done."""

_REFUSALS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


_WITH = (
    "When the manifest goes, the tags that are made of its digest go with it (signatures, attestations, bills of "
    "materials, lists of referrers). Else they stay, as tags about nothing."
)


class DeletionQuery(Schema):
    """Whether it is to be done at all."""

    dry_run = fields.Boolean(
        load_default=False, metadata={"description": "Delete nothing, and tell what would go: 200 instead of 204."}
    )


class ContentDeletionQuery(DeletionQuery):
    """What else goes."""

    with_referrers = fields.Boolean(load_default=False, metadata={"description": _WITH})


class IndexRefSchema(Schema):
    """An index that lists a manifest."""

    digest = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)


class ReferrerRefSchema(Schema):
    """Something that is about a manifest."""

    digest = fields.String(required=True)
    artifact_type = fields.String(required=True, allow_none=True)
    tag = fields.String(
        required=True, allow_none=True, metadata={"description": "Made of the digest, where there is one."}
    )


class DeletionPlanSchema(Schema):
    """What a deletion would do; of each list the first 1 000."""

    repository = fields.String(required=True)
    digest = fields.String(required=True, allow_none=True, metadata={"description": "Null: the whole repository."})
    method = fields.Enum(
        Method,
        by_value=True,
        required=True,
        metadata={
            "description": "digest: the manifest goes with every tag on it. tag: the tag goes alone. replacement: the "
            "registry cannot delete a tag alone, so a throw-away manifest is put under it and deleted. repository: "
            "everything goes."
        },
    )
    tags = fields.List(fields.String(), required=True, metadata={"description": "Those that go."})
    tags_count = fields.Integer(required=True, metadata={"description": "How many tags go."})
    other_tags = fields.List(
        fields.String(), required=True, metadata={"description": "Those on the same digest that stay."}
    )
    indexes = fields.List(
        fields.Nested(IndexRefSchema),
        required=True,
        metadata={"description": "Those that will lack one of their manifests."},
    )
    referrers = fields.List(
        fields.Nested(ReferrerRefSchema), required=True, metadata={"description": "Those that will be about nothing."}
    )
    referrer_tags = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Tags made of its digest, or of the digest of one of these, that go with it."},
    )
    untagged = fields.List(
        fields.String(), required=True, metadata={"description": "Manifests that nothing will hold any more."}
    )
    freed_bytes = fields.Integer(
        required=True,
        metadata={"description": "What a garbage collection with --delete-untagged gives back of the storage."},
    )
    is_exact = fields.Boolean(required=True, metadata={"description": "Whether all of it is known."})
    is_looked_through = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether the registry is asked first what else leads to the manifest. A repository with "
            "more than 1 000 tags is too large for that: a tag goes alone there, and its manifest stays."
        },
    )


class ChosenTagInput(Schema):
    """A tag as the caller has seen it."""

    name = fields.String(required=True)
    digest = fields.String(required=True, metadata={"description": "What it points at; it stays if that has changed."})

    @post_load
    def build(self, values: dict[str, str], **_options: Any) -> ChosenTag:
        """Read both."""
        try:
            return ChosenTag(parse_tag(values["name"]), parse_digest(values["digest"]))
        except InvalidName as fault:
            raise ValidationError(str(fault)) from fault


class TagDeletionsInput(Schema):
    """Tags of one repository."""

    tags = fields.List(fields.Nested(ChosenTagInput), required=True, validate=validate.Length(1, MAX_TAGS))
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Delete nothing, and tell what would go."})
    with_referrers = fields.Boolean(load_default=False, metadata={"description": _WITH})


class TagOutcomeSchema(Schema):
    """What became of a tag, or would."""

    tag = fields.String(required=True)
    plan = fields.Nested(DeletionPlanSchema, required=True, allow_none=True, metadata={"description": "Of a dry run."})
    method = fields.Enum(Method, by_value=True, required=True, allow_none=True)
    fault = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why it is there still; with a method: why what was about it is."},
    )


def deletions_blueprint(
    deleter: ContentDeleter, visibility: FindCallersVisibility, permissions: FindCallersPermissions
) -> Blueprint:
    """Build the routes."""
    blueprint = Blueprint("deletions", __name__, url_prefix="/api/v1", description="Deleting")
    keep_private(blueprint)

    @blueprint.delete(f"/tags/{ID}")
    @_answers(blueprint, ContentDeletionQuery)
    def tag(query: dict[str, Any], id: int) -> Response:
        """Delete one tag and leave the others on its digest"""
        act = preview_tag if query["dry_run"] else delete_tag
        keeps = not query["with_referrers"]
        return _dump(act(visibility(), permissions, id, deleter=deleter, keep_referrers=keeps))

    @blueprint.post(f"/repositories/{ID}/tags/deletions")
    @blueprint.arguments(TagDeletionsInput)
    @blueprint.response(HTTPStatus.OK, TagOutcomeSchema(many=True))
    @refuses(blueprint, *_REFUSALS)
    def tags(wanted: dict[str, Any], id: int) -> list[TagOutcome]:
        """Delete several tags, each alone, and tell of each what became of it"""
        act = preview_tags if wanted["dry_run"] else delete_tags
        keeps = not wanted["with_referrers"]
        return act(visibility(), permissions, id, wanted["tags"], deleter=deleter, keep_referrers=keeps)

    @blueprint.delete(f"/repositories/{ID}/digests/<digest>")
    @_answers(blueprint, ContentDeletionQuery)
    def manifest(query: dict[str, Any], id: int, digest: str) -> Response:
        """Delete a manifest with every tag on it"""
        act = preview_manifest if query["dry_run"] else delete_manifest
        found, keeps = load_digest(digest), not query["with_referrers"]
        return _dump(act(visibility(), permissions, id, found, deleter=deleter, keep_referrers=keeps))

    @blueprint.delete(f"/repositories/{ID}")
    @_answers(blueprint, DeletionQuery)
    def repository(query: dict[str, Any], id: int) -> Response:
        """Delete everything in a repository"""
        act = preview_repository if query["dry_run"] else delete_repository
        return _dump(act(visibility(), permissions, id, deleter=deleter))

    return blueprint


def _answers(blueprint: Blueprint, query: type[DeletionQuery]) -> Callable[[View], View]:
    header = {METHOD_HEADER: {"schema": {"type": "string"}, "description": "How it was done, as in the preview."}}

    def decorate(view: View) -> View:
        view = refuses(blueprint, *_REFUSALS)(view)
        view = blueprint.alt_response(200, schema=DeletionPlanSchema, description="What would go")(view)
        view = blueprint.response(204, headers=header)(view)
        return cast("View", blueprint.arguments(query, location="query")(view))

    return decorate


def _dump(done: DeletionPlan | Method) -> Response:
    if isinstance(done, DeletionPlan):
        return jsonify(DeletionPlanSchema().dump(done))
    return Response(status=HTTPStatus.NO_CONTENT, headers={METHOD_HEADER: done.value})
