"""``/api/v1/repositories/:id/manifests/:reference`` and what is about a manifest."""

from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from services.catalog.api.fields import ID, MAX_ID, list_response, load_digest, refuses
from services.catalog.api.scans import scan_field
from services.catalog.domain.referrers import Kind, find_referrer_tag, kind_of
from services.catalog.domain.secret_names import list_secret_names
from services.catalog.storage.referrer_queries import REFERRERS, ReferrerRow
from services.catalog.storage.untagged import UNTAGGED
from services.catalog.usecases.browse_manifests import (
    ComparisonView,
    ManifestView,
    RawBytes,
    compare_manifests,
    get_manifest,
    get_raw_config,
    get_raw_manifest,
    list_manifest_referrers,
    list_untagged,
)
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query, key_query
from shared.api.paging import ListRequest
from shared.database import Database
from shared.visibility.callers import FindCallersVisibility, keep_private

_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


def _said(description: str) -> dict[str, Any]:
    return {"description": description}


def _listed(schema: type[Schema], name: str) -> Any:
    return fields.List(fields.Nested(schema), required=True, attribute=f"comparison.{name}")


class PlatformOnlySchema(Schema):
    """What an image runs on."""

    os = fields.String(required=True)
    os_version = fields.String(
        required=True, allow_none=True, metadata=_said("As the index says; null where it says nothing.")
    )
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
    secret_env = fields.Function(
        lambda config: list_secret_names(config.env),
        metadata={
            "type": "array",
            "items": {"type": "string"},
            **_said("Names of variables that look as if they held a secret; they are not hidden here."),
        },
    )
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
    scan = scan_field()


class CompareQuery(Schema):
    """With what a manifest is compared."""

    reference = fields.String(
        required=True, data_key="with", validate=validate.Length(1, 135), metadata=_said("A tag or a digest.")
    )
    repository_id = fields.Integer(
        load_default=None,
        validate=validate.Range(1, MAX_ID),
        metadata=_said("Where that is; the same repository unless it is said."),
    )


class ChangeSchema(Schema):
    """Something that is not the same; null where it is not there at all."""

    name = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class PlatformChangeSchema(Schema):
    """What two indexes have for one platform."""

    platform = fields.String(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)


class ComparedSchema(Schema):
    """One side of a comparison."""

    repository_id = fields.Integer(required=True, attribute="repository.id")
    repository = fields.String(required=True, attribute="repository.full_name")
    digest = fields.String(required=True, attribute="row.digest")
    media_type = fields.String(required=True, allow_none=True, attribute="row.media_type")
    size_bytes = fields.Integer(required=True, allow_none=True, attribute="row.size_bytes")


class ComparisonSchema(Schema):
    """How a second manifest differs from a first."""

    before = fields.Nested(ComparedSchema, required=True)
    after = fields.Nested(ComparedSchema, required=True)
    layers_shared = _listed(LayerSchema, "layers_shared")
    layers_added = _listed(LayerSchema, "layers_added")
    layers_removed = _listed(LayerSchema, "layers_removed")
    config = _listed(ChangeSchema, "config")
    env = _listed(ChangeSchema, "env")
    labels = _listed(ChangeSchema, "labels")
    annotations = _listed(ChangeSchema, "annotations")
    platforms = _listed(PlatformChangeSchema, "platforms")


class UntaggedSchema(Schema):
    """A manifest that no tag leads to."""

    digest = fields.String(required=True)
    media_type = fields.String(required=True, allow_none=True)
    artifact_type = fields.String(required=True, allow_none=True)
    size_bytes = fields.Integer(required=True, allow_none=True)
    pushed_at = fields.AwareDateTime(required=True, allow_none=True)
    pushed_by = fields.String(required=True, allow_none=True)
    first_seen_at = fields.AwareDateTime(required=True)


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

    @blueprint.get(f"/repositories/{ID}/manifests/<reference>/compare")
    @blueprint.arguments(CompareQuery, location="query")
    @blueprint.response(200, ComparisonSchema)
    @refuses(blueprint, *_REFUSALS, HTTPStatus.CONFLICT)
    def compared(query: dict[str, Any], id: int, reference: str) -> ComparisonView:
        """Compare a manifest with another one, of the same repository or elsewhere"""
        other = (query["repository_id"] or id, query["reference"])
        return compare_manifests(visibility(), (id, reference), other, database=database)

    @blueprint.get(f"/repositories/{ID}/manifests/<reference>/raw")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
    @refuses(blueprint, *_REFUSALS, HTTPStatus.CONFLICT)
    def raw(id: int, reference: str) -> Response:
        """Fetch a manifest as the registry has it, byte by byte"""
        return _raw(get_raw_manifest(visibility(), id, reference, database=database))

    @blueprint.get(f"/repositories/{ID}/manifests/<reference>/config")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
    @refuses(blueprint, *_REFUSALS, HTTPStatus.CONFLICT)
    def raw_config(id: int, reference: str) -> Response:
        """Fetch a manifest's configuration as the registry has it, byte by byte"""
        return _raw(get_raw_config(visibility(), id, reference, database=database))

    @blueprint.get(f"/repositories/{ID}/untagged")
    @blueprint.arguments(key_query(UNTAGGED), location="query")
    @blueprint.response(200, UntaggedSchema(many=True))
    @refuses(blueprint, *_REFUSALS)
    def untagged(asked: ListRequest, id: int) -> Response:
        """List the manifests of a repository that no tag leads to, not even by an index, by digest"""
        return list_response(UntaggedSchema(), list_untagged(visibility(), id, asked, database=database))

    @blueprint.get(f"/repositories/{ID}/manifests/<digest>/referrers")
    @blueprint.arguments(either_query(REFERRERS, whole=False), location="query")
    @blueprint.response(200, ReferrerSchema(many=True))
    @refuses(blueprint, *_REFUSALS)
    def referrers(asked: ListRequest, id: int, digest: str) -> Response:
        """List what is about a manifest: signatures, attestations, bills of materials"""
        found = list_manifest_referrers(visibility(), id, load_digest(digest), asked, database=database)
        return list_response(ReferrerSchema(), found)

    return blueprint


def _raw(found: RawBytes) -> Response:
    """Send bytes that somebody else made, so that no browser takes them for a page of ours."""
    response = Response(found.body, content_type="application/octet-stream")
    response.headers["Docker-Content-Digest"] = found.digest
    response.headers["Content-Disposition"] = f'attachment; filename="{found.digest.replace(":", "-")}.json"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _kind(row: ReferrerRow) -> Kind:
    named = find_referrer_tag(row.tag) if row.tag else None
    return named.kind if named and named.kind else kind_of(row.artifact_type)
