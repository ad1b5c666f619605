"""``/api/v1/repositories/:id/manifests/:reference`` and what is about a manifest."""

from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from services.catalog.api.fields import ID, list_response, load_digest, refuses
from services.catalog.domain.referrers import Kind, find_referrer_tag, kind_of
from services.catalog.storage.referrer_queries import ReferrerRow
from services.catalog.usecases.browse_manifests import ManifestView, get_manifest, list_manifest_referrers
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import PRINTABLE
from shared.api.paging import PageQuery, PageRequest
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


def _said(description: str) -> dict[str, Any]:
    return {"description": description}


class PlatformOnlySchema(Schema):
    """What an image runs on."""

    os = fields.String(required=True)
    architecture = fields.String(required=True)
    variant = fields.String(required=True, allow_none=True)


class BuildStepSchema(Schema):
    """One step of an image's build."""

    created = fields.String(required=True, allow_none=True)
    created_by = fields.String(required=True, allow_none=True)
    comment = fields.String(required=True, allow_none=True)
    has_layer = fields.Boolean(required=True)


class ImageConfigSchema(Schema):
    """An image's configuration, as its maker wrote it: nobody checks it. Lists are cut at 1 000, texts at 4 096."""

    created = fields.String(required=True, allow_none=True, metadata=_said("The maker's claim."))
    author = fields.String(required=True, allow_none=True)
    os = fields.String(required=True, allow_none=True)
    os_version = fields.String(required=True, allow_none=True)
    architecture = fields.String(required=True, allow_none=True)
    variant = fields.String(required=True, allow_none=True)
    user = fields.String(required=True, allow_none=True)
    working_dir = fields.String(required=True, allow_none=True)
    stop_signal = fields.String(required=True, allow_none=True)
    entrypoint = fields.List(fields.String(), required=True)
    cmd = fields.List(fields.String(), required=True)
    env = fields.List(fields.String(), required=True)
    exposed_ports = fields.List(fields.String(), required=True)
    volumes = fields.List(fields.String(), required=True)
    labels = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    history = fields.List(fields.Nested(BuildStepSchema), required=True)


class LayerSchema(Schema):
    """A layer, with the step of the build that made it."""

    digest = fields.String(required=True)
    media_type = fields.String(required=True, allow_none=True)
    size_bytes = fields.Integer(required=True)
    created_by = fields.String(required=True, allow_none=True)


class ChildSchema(Schema):
    """A manifest that an index lists."""

    digest = fields.String(required=True, attribute="listed.digest")
    media_type = fields.String(required=True, allow_none=True, attribute="listed.media_type")
    platform = fields.Nested(PlatformOnlySchema, required=True, allow_none=True, attribute="listed.platform")
    size_bytes = fields.Integer(
        required=True, allow_none=True, attribute="facts.size_bytes", metadata=_said("Null: not fetched yet.")
    )
    is_attestation = fields.Boolean(required=True, attribute="listed.is_attestation")
    attests = fields.String(
        required=True, allow_none=True, attribute="listed.attests", metadata=_said("The manifest that it is about.")
    )


class IndexSchema(Schema):
    """An index that lists a manifest."""

    digest = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)


class ManifestSchema(Schema):
    """All that is known of a manifest; of each list the first 1 000."""

    digest = fields.String(required=True, attribute="row.digest")
    media_type = fields.String(required=True, allow_none=True, attribute="row.media_type")
    artifact_type = fields.String(required=True, allow_none=True, attribute="row.artifact_type")
    size_bytes = fields.Integer(
        required=True,
        allow_none=True,
        attribute="row.size_bytes",
        metadata=_said("Configuration and layers, compressed; of an index the sum over its children."),
    )
    known = fields.Function(
        lambda view: view.row.body is not None, metadata={"type": "boolean", **_said("Whether it has been fetched.")}
    )
    readable = fields.Boolean(
        required=True, attribute="row.readable", metadata=_said("Whether it is what its media type promises.")
    )
    platform = fields.Nested(PlatformOnlySchema, required=True, allow_none=True, attribute="row.platform")
    tags = fields.List(fields.String(), required=True)
    indexes = fields.List(fields.Nested(IndexSchema), required=True, metadata=_said("Those that list it."))
    subject = fields.String(
        required=True, allow_none=True, attribute="details.subject", metadata=_said("The manifest that it is about.")
    )
    referrers = fields.Integer(required=True, metadata=_said("How much is about it."))
    annotations = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, attribute="details.annotations"
    )
    config_digest = fields.String(required=True, allow_none=True, attribute="details.config_digest")
    config = fields.Nested(ImageConfigSchema, required=True, allow_none=True, attribute="details.config")
    document = fields.Dict(
        required=True,
        allow_none=True,
        attribute="details.document",
        metadata=_said("The configuration of what is no image, a chart's for example, up to 256 KiB."),
    )
    layers = fields.List(fields.Nested(LayerSchema), required=True, attribute="details.layers")
    children = fields.List(fields.Nested(ChildSchema), required=True)
    first_seen_at = fields.AwareDateTime(required=True, attribute="row.first_seen_at")
    pushed_at = fields.AwareDateTime(
        required=True, allow_none=True, attribute="row.pushed_at", metadata=_said("Null: not witnessed.")
    )
    pushed_by = fields.String(required=True, allow_none=True, attribute="row.pushed_by")
    pulls = fields.Integer(required=True, attribute="pulls.pulls", metadata=_said("By its digest and by its tags."))
    pulled_at = fields.AwareDateTime(required=True, allow_none=True, attribute="pulls.pulled_at")


class ReferrersQuery(PageQuery):
    """Which referrers, and which page of them."""

    artifact_type = fields.String(
        load_default=None,
        validate=[validate.Length(1, 255), PRINTABLE],
        metadata=_said("Only those of this type."),
    )


class ReferrerSchema(Schema):
    """Something that is about a manifest."""

    digest = fields.String(required=True)
    media_type = fields.String(required=True, allow_none=True)
    artifact_type = fields.String(required=True, allow_none=True)
    kind = fields.Function(
        lambda row: _kind(row).value,
        metadata={
            "type": "string",
            "enum": [kind.value for kind in Kind],
            **_said("What it is, as far as its type or its tag tells."),
        },
    )
    size_bytes = fields.Integer(required=True, allow_none=True)
    tag = fields.String(
        required=True, allow_none=True, metadata=_said("Its tag, where that is made of the digest that it is about.")
    )
    annotations = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    pushed_at = fields.AwareDateTime(required=True, allow_none=True)
    pushed_by = fields.String(required=True, allow_none=True)


def manifests_blueprint(database: Database, visibility: FindCallersVisibility) -> ApiBlueprint:
    """Build the routes.

    Args:
        visibility: asks what the present caller may see.
    """
    blueprint = ApiBlueprint("manifests", __name__, url_prefix="/api/v1", description="Manifests and referrers")
    keep_private(blueprint)

    @blueprint.get(f"/repositories/{ID}/manifests/<reference>")
    @blueprint.response(200, ManifestSchema)
    @refuses(blueprint, *_REFUSALS)
    def manifest(id: int, reference: str) -> ManifestView:
        """Show a manifest by a tag or its digest"""
        return get_manifest(visibility(), id, reference, database=database)

    @blueprint.get(f"/repositories/{ID}/manifests/<digest>/referrers")
    @blueprint.arguments(ReferrersQuery, location="query")
    @blueprint.response(200, ReferrerSchema(many=True))
    @refuses(blueprint, *_REFUSALS)
    def referrers(query: dict[str, Any], id: int, digest: str) -> Response:
        """List what is about a manifest: signatures, attestations, bills of materials"""
        page = list_manifest_referrers(
            visibility(),
            id,
            load_digest(digest),
            PageRequest(query["page"], query["per_page"]),
            artifact_type=query["artifact_type"],
            database=database,
        )
        return list_response(ReferrerSchema(), page)

    return blueprint


def _kind(row: ReferrerRow) -> Kind:
    named = find_referrer_tag(row.tag) if row.tag else None
    return named.kind if named and named.kind else kind_of(row.artifact_type)
