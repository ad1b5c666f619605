"""Manifests by digest, what an index lists, and sizes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from services.catalog.domain.configs import read_config
from services.catalog.domain.labels import list_searchable
from services.catalog.domain.manifests import MAX_SIZE_BYTES, FetchedManifest
from services.catalog.storage.statements import insert_missing, upsert
from services.catalog.storage.tables import configs, manifest_blobs, manifest_children, manifest_labels, manifests
from shared.oci.names import Digest

_DIGESTS_PER_STATEMENT = 500
"""Well below what either database takes in one statement."""

MAX_LAYERS = 1000
"""So many layers of one manifest are kept by themselves; its size counts all."""

MAX_NESTING = 3
"""So deep an index may lie in another for its size to be known there."""


def list_fetched(connection: Connection, digests: Collection[Digest]) -> set[Digest]:
    """Return those digests whose manifest we have."""
    query = select(manifests.c.digest).where(manifests.c.body.is_not(None))
    ordered, found = list(digests), set[Digest]()
    for start in range(0, len(ordered), _DIGESTS_PER_STATEMENT):
        chunk = ordered[start : start + _DIGESTS_PER_STATEMENT]
        found.update(Digest(digest) for digest in connection.scalars(query.where(manifests.c.digest.in_(chunk))))
    return found


def note_manifests(connection: Connection, media_types: Mapping[Digest, str | None]) -> None:
    """Keep digests that we have heard of, with the media type that was named."""
    rows = [
        {"digest": digest, "media_type": media_type, "readable": False}
        for digest, media_type in sorted(media_types.items())
    ]
    insert_missing(connection, manifests, rows)


def list_containing(connection: Connection, digests: Collection[Digest]) -> set[Digest]:
    """Return digests together with every index that holds them, also through another index."""
    found, fresh = set(digests), set(digests)
    for _ in range(MAX_NESTING):
        query = select(manifest_children.c.parent_digest).where(manifest_children.c.digest.in_(fresh)).distinct()
        fresh = {Digest(digest) for digest in connection.scalars(query)} - found
        found |= fresh
        if not fresh:
            break
    return found


def save_manifests(connection: Connection, fetched: Iterable[FetchedManifest], *, now: datetime) -> None:
    """Keep manifests, and bring the sizes of the indexes up to date that hold them."""
    # The same order for all, so that two transactions with the same manifests do not block each other.
    ordered = sorted(fetched, key=lambda one: one.digest)
    upsert(connection, manifests, [_row(one, now) for one in ordered])
    insert_missing(connection, manifest_children, [row for one in ordered for row in _child_rows(one)])
    insert_missing(connection, manifest_blobs, [row for one in ordered for row in _blob_rows(one)])
    insert_missing(connection, manifest_labels, [row for one in ordered for row in _label_rows(one)])
    insert_missing(connection, configs, _config_rows(ordered))
    single = {one.digest for one in ordered if not one.manifest.children}
    affected = list_containing(connection, {one.digest for one in ordered}) - single
    for _ in range(MAX_NESTING):
        if not affected or not _sum_children(connection, affected):
            break


def _sum_children(connection: Connection, digests: Collection[Digest]) -> bool:
    """Give the indexes among some manifests their size; tell whether any size has changed."""
    child = manifests.alias()
    total = func.sum(child.c.size_bytes)
    known = (
        select(case((total > MAX_SIZE_BYTES, MAX_SIZE_BYTES), else_=total))
        .select_from(manifest_children.join(child, child.c.digest == manifest_children.c.digest))
        .where(manifest_children.c.parent_digest == manifests.c.digest)
        .scalar_subquery()
    )
    indexes = select(manifest_children.c.parent_digest).where(manifest_children.c.parent_digest.in_(digests))
    changed = manifests.c.digest.in_(indexes) & manifests.c.size_bytes.is_distinct_from(known)
    return connection.execute(update(manifests).where(changed).values(size_bytes=known)).rowcount > 0


def _row(fetched: FetchedManifest, now: datetime) -> dict[str, Any]:
    manifest, platform = fetched.manifest, fetched.platform
    return {
        "digest": fetched.digest,
        "media_type": manifest.media_type,
        "artifact_type": manifest.artifact_type,
        "subject": manifest.subject,
        "config_digest": manifest.config.digest if manifest.config else None,
        "size_bytes": manifest.size_bytes,
        "os": platform.os if platform else None,
        "architecture": platform.architecture if platform else None,
        "variant": platform.variant if platform else None,
        "readable": manifest.readable,
        "body": fetched.body,
        "fetched_at": now,
    }


def _child_rows(fetched: FetchedManifest) -> Sequence[dict[str, Any]]:
    return [
        {
            "parent_digest": fetched.digest,
            "position": position,
            "digest": child.digest,
            "media_type": child.media_type,
            "os": child.platform.os if child.platform else None,
            "architecture": child.platform.architecture if child.platform else None,
            "variant": child.platform.variant if child.platform else None,
            "is_attestation": child.is_attestation,
        }
        for position, child in enumerate(fetched.manifest.children)
    ]


def _blob_rows(fetched: FetchedManifest) -> Sequence[dict[str, Any]]:
    manifest = fetched.manifest
    layers = enumerate(manifest.layers[:MAX_LAYERS], start=1)
    numbered = [*([(0, manifest.config)] if manifest.config else []), *layers]
    return [
        {
            "manifest_digest": fetched.digest,
            "position": position,
            "digest": blob.digest,
            "media_type": blob.media_type,
            "size_bytes": blob.size_bytes,
        }
        for position, blob in numbered
    ]


def _label_rows(fetched: FetchedManifest) -> Sequence[dict[str, Any]]:
    is_image = fetched.config is not None and fetched.manifest.has_image_config
    labels = read_config(fetched.config).labels if fetched.config and is_image else {}
    said = ((True, fetched.manifest.annotations), (False, labels))
    return [
        {"manifest_digest": fetched.digest, "is_annotation": is_annotation, "key": key, "value": value}
        for is_annotation, texts in said
        for key, value in list_searchable(texts)
    ]


def _config_rows(fetched: Iterable[FetchedManifest]) -> Sequence[dict[str, Any]]:
    bodies = {one.manifest.config.digest: one.config for one in fetched if one.manifest.config and one.config}
    return [{"digest": digest, "body": bodies[digest]} for digest in sorted(bodies)]
