"""Manifests that no tag leads to: what a garbage collection would take."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from services.catalog.storage.tables import manifest_children, manifests, repository_manifests, tags
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice

_HELD, _ONE = repository_manifests.c, manifests.c

UNTAGGED = Listing(
    {
        # Unique in a repository.
        "id": Listed(_HELD.digest),
        "digest": Listed(_HELD.digest, prefix=True),
        "media_type": Listed(_ONE.media_type, sortable=False),
        "artifact_type": Listed(_ONE.artifact_type, sortable=False),
        "first_seen_at": Listed(_HELD.first_seen_at),
    },
    order=Order("id"),
)
"""What lists of untagged manifests are sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class UntaggedRow:
    """A manifest that no tag leads to."""

    digest: str
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    pushed_at: datetime | None
    """``None``: a crawl found it."""
    pushed_by: str | None
    first_seen_at: datetime


def list_untagged(connection: Connection, repository: int, request: ListRequest) -> Slice[UntaggedRow]:
    """Return a part of the manifests of a repository without a tag that lie in none of its indexes.

    What is about another manifest (a signature, for example) is among them: no tag leads to it either,
    where its registry knows referrers.
    """
    tagged = exists().where(tags.c.repository_id == _HELD.repository_id, tags.c.digest == _HELD.digest, tags.c.present)
    parent = repository_manifests.alias("parent").c
    held_by_index = exists().where(
        manifest_children.c.digest == _HELD.digest,
        parent.digest == manifest_children.c.parent_digest,
        parent.repository_id == _HELD.repository_id,
        parent.present,
    )
    query = (
        select(
            *(_HELD[name] for name in ("digest", "written_at", "written_by_event", "pushed_by", "first_seen_at")),
            *(_ONE[name] for name in ("media_type", "artifact_type", "size_bytes")),
        )
        .join_from(repository_manifests, manifests, _ONE.digest == _HELD.digest, isouter=True)
        .where(_HELD.repository_id == repository, _HELD.present, ~tagged, ~held_by_index)
    )
    return fetch_slice(connection, query, UNTAGGED, request, load=_load)


def _load(row: Row[Any]) -> UntaggedRow:
    return UntaggedRow(
        digest=row.digest,
        media_type=row.media_type,
        artifact_type=row.artifact_type,
        size_bytes=row.size_bytes,
        pushed_at=row.written_at if row.written_by_event else None,
        pushed_by=row.pushed_by,
        first_seen_at=row.first_seen_at,
    )
