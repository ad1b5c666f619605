"""What goes in and out over HTTP."""

from flask import current_app
from marshmallow import Schema, fields

from services.catalog.storage.repository_queries import RepositoryRow

REGISTRY_HOST = "PORTUS_REGISTRY_HOST"
"""Key of the application's configuration."""


class RepositorySchema(Schema):
    """A repository that holds at least one tag."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "Without the namespace."})
    full_name = fields.String(required=True)
    namespace = fields.String(required=True, allow_none=True, metadata={"description": "Null: the global namespace."})
    registry_host = fields.Method("_registry_host", metadata={"type": "string"})
    registry_hostname = fields.Method(
        "_registry_host", metadata={"type": "string", "description": "The same, as the Portus API calls it."}
    )
    description = fields.String(required=True, allow_none=True, metadata={"description": "Markdown, as it came."})
    stars = fields.Integer(required=True)
    starred = fields.Boolean(required=True, metadata={"description": "Whether the caller has."})
    tags_count = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True, metadata={"description": "Sum over its manifests, as far as known."})
    pulls = fields.Integer(required=True, metadata={"description": "Fetches, without checks and without our own."})
    created_at = fields.AwareDateTime(required=True, metadata={"description": "When it was first seen."})
    updated_at = fields.AwareDateTime(required=True, metadata={"description": "The newest push, as far as known."})

    def _registry_host(self, _row: RepositoryRow) -> str:
        return str(current_app.config[REGISTRY_HOST])


class PlatformSchema(Schema):
    """One image that a tag offers."""

    os = fields.String(required=True)
    architecture = fields.String(required=True)
    variant = fields.String(required=True, allow_none=True)
    digest = fields.String(required=True)
    size_bytes = fields.Integer(required=True, allow_none=True)


class TagSchema(Schema):
    """A tag; what its manifest says is null while ``known`` is false."""

    id = fields.Integer(required=True)
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


class PossibleLossSchema(Schema):
    """Events that may have been lost: what they told is being read from the registry."""

    count = fields.Integer(required=True, metadata={"description": "Loss windows that are open."})
    since = fields.AwareDateTime(
        required=True, metadata={"description": "The index may be wrong about what came after."}
    )
    reasons = fields.List(fields.String(), required=True, metadata={"description": "restart, gap, silent_push."})


class FreshnessSchema(Schema):
    """How far the index has come."""

    indexed_at = fields.AwareDateTime(required=True, allow_none=True)
    crawled_at = fields.AwareDateTime(required=True, allow_none=True)
    waiting = fields.Integer(required=True, metadata={"description": "Manifests that could not be fetched yet."})
    possible_loss = fields.Nested(
        PossibleLossSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null unless events may have been lost, and are not made up for yet."},
    )
