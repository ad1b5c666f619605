"""What goes in and out over HTTP."""

from typing import Any

from flask import current_app
from marshmallow import Schema, fields

from services.catalog.storage.repository_queries import RepositoryRow

REGISTRY_HOST = "PORTUS_REGISTRY_HOST"
"""Key of the application's configuration."""


def registry_host() -> str:
    """Return under which name clients know the registry."""
    return str(current_app.config[REGISTRY_HOST])


def stored_namespace(name: str) -> str:
    """Return what the index calls a namespace that a request calls so: the global one goes by the registry's host."""
    return "" if name == registry_host() else name


class NamespaceRefSchema(Schema):
    """The namespace in which a repository lies."""

    id = fields.Integer(
        required=True,
        allow_none=True,
        attribute="namespace_id",
        metadata={"description": "Null: nobody has made it."},
    )
    name = fields.Function(
        lambda row: row.namespace or registry_host(),
        metadata={"type": "string", "description": "The global one goes by the registry's host."},
    )


class RepositorySchema(Schema):
    """A repository that holds at least one tag, or that is a ghost."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "Without the namespace."})
    full_name = fields.String(required=True)
    namespace = fields.Nested(NamespaceRefSchema, required=True, attribute="itself")
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
    destroyable = fields.Boolean(
        required=True,
        metadata={"description": "Whether the caller may delete it and its tags, by the rule that DELETE asks."},
    )

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Let the namespace be taken out of the repository itself."""
        return obj if attr == "itself" else super().get_attribute(obj, attr, default)

    def _registry_host(self, _row: RepositoryRow) -> str:
        return registry_host()


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
