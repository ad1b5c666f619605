"""What goes in and out over HTTP."""

from flask import current_app
from marshmallow import Schema, ValidationError, fields, validate

from services.catalog.storage.repository_queries import RepositoryRow
from shared.api.paging import PageQuery
from shared.oci.names import MAX_REPOSITORY_NAME_LENGTH, MAX_TAG_LENGTH

MAX_Q_LENGTH = 128
REGISTRY_HOST = "PORTUS_REGISTRY_HOST"
"""Key of the application's configuration."""


def _printable(value: str) -> None:
    # A database takes no NUL, and nothing else of the kind is in any name either.
    if not value.isprintable():
        raise ValidationError("May hold printable characters only.")


def _text(max_length: int, description: str) -> fields.String:
    return fields.String(
        load_default=None,
        validate=[validate.Length(max=max_length), _printable],
        metadata={"description": description},
    )


class RepositoryListQuery(PageQuery):
    """Which repositories, and which page of them."""

    namespace = _text(MAX_REPOSITORY_NAME_LENGTH, "Only those of this namespace.")
    q = _text(MAX_Q_LENGTH, "Only those whose full name contains this, in upper or lower case.")
    name = _text(MAX_REPOSITORY_NAME_LENGTH, "Only the one with exactly this full name.")


class TagListQuery(PageQuery):
    """Which tags, and which page of them."""

    q = _text(MAX_TAG_LENGTH, "Only those whose name contains this, in upper or lower case.")


class RepositorySchema(Schema):
    """A repository that holds at least one tag."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "Without the namespace."})
    full_name = fields.String(required=True)
    namespace = fields.String(required=True, allow_none=True, metadata={"description": "Null: the global namespace."})
    registry_host = fields.Method("_registry_host", metadata={"type": "string"})
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
    pushed_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "Null: not witnessed."})
    pushed_by = fields.String(required=True, allow_none=True)
    pulled_at = fields.AwareDateTime(required=True, allow_none=True)
    pulls = fields.Integer(
        required=True, metadata={"description": "By this tag, and by the digest it points at; checks do not count."}
    )
    known = fields.Boolean(required=True, metadata={"description": "Whether the manifest has been fetched."})


class FreshnessSchema(Schema):
    """How far the index has come."""

    indexed_at = fields.AwareDateTime(required=True, allow_none=True)
    crawled_at = fields.AwareDateTime(required=True, allow_none=True)
    waiting = fields.Integer(required=True, metadata={"description": "Manifests that could not be fetched yet."})
