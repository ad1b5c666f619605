"""What goes in and out over HTTP."""

from flask import current_app
from marshmallow import Schema, fields

from services.catalog.storage.repository_queries import RepositoryRow

REGISTRY_HOST = "PORTUS_REGISTRY_HOST"
"""Key of the application's configuration."""


class RepositorySchema(Schema):
    """A repository that holds at least one tag, or that is a ghost."""

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
    ghost = fields.Boolean(
        required=True,
        metadata={
            "description": "The registry's catalogue names it, and there is nothing in it, as the last round found. "
            "Ghosts are listed with `ghost=true` only."
        },
    )
    tags_count = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True, metadata={"description": "Sum over its manifests, as far as known."})
    pulls = fields.Integer(required=True, metadata={"description": "Fetches, without checks and without our own."})
    created_at = fields.AwareDateTime(required=True, metadata={"description": "When it was first seen."})
    updated_at = fields.AwareDateTime(required=True, metadata={"description": "The newest push, as far as known."})

    def _registry_host(self, _row: RepositoryRow) -> str:
        return str(current_app.config[REGISTRY_HOST])


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
