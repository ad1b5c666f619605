"""What is about a manifest, as the API shows it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Row, Select, distinct, func, null, or_, select, union_all

from services.catalog.storage.tables import (
    manifest_children,
    manifest_labels,
    manifests,
    repository_manifests,
    tags,
)
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part
from shared.oci.names import Digest, Tag

_HELD = repository_manifests.c

REFERRERS = Listing(
    {
        # Each is in the list once.
        "id": Listed(manifests.c.digest),
        "digest": Listed(manifests.c.digest, prefix=True),
        "media_type": Listed(manifests.c.media_type),
        "artifact_type": Listed(manifests.c.artifact_type),
    },
    order=Order("id"),
)
"""What lists of referrers are sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class ReferrerRow:
    """Something that is about a manifest."""

    digest: Digest
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    tag: Tag | None
    """The tag that is made of the digest, where there is one."""
    pushed_at: datetime | None
    pushed_by: str | None
    annotations: Mapping[str, str] = field(default_factory=dict)


def count_referrers(
    connection: Connection, repositories: Collection[int], digests: Collection[str]
) -> Mapping[tuple[int, str], int]:
    """Return how much is about manifests, by repository and digest; nothing for those without."""
    there = select_referrers(repositories, digests).subquery()
    key = (there.c.repository_id, there.c.subject)
    query = select(*key, func.count(distinct(there.c.digest)).label("total")).group_by(*key)
    return {(row.repository_id, row.subject): row.total for row in connection.execute(query)}


def list_referrers(
    connection: Connection, repository: int, digest: Digest, request: ListRequest
) -> Page[ReferrerRow] | Slice[ReferrerRow]:
    """Return a part of what is about a manifest of a repository."""
    there = select_referrers([repository], [digest]).subquery()
    grouped = select(there.c.digest, func.max(there.c.tag).label("tag")).group_by(there.c.digest).subquery()
    lies_here = (_HELD.digest == grouped.c.digest) & (_HELD.repository_id == repository)
    query = select(
        *(manifests.c[name] for name in ("digest", "media_type", "artifact_type", "size_bytes")),
        grouped.c.tag,
        *(_HELD[name] for name in ("written_at", "written_by_event", "pushed_by")),
    ).select_from(grouped.join(manifests, manifests.c.digest == grouped.c.digest).join(repository_manifests, lies_here))
    part = fetch_part(connection, query, REFERRERS, request, load=_referrer)
    annotations = _annotations(connection, [row.digest for row in part.rows])
    return replace(part, rows=[replace(row, annotations=annotations[row.digest]) for row in part.rows])


def select_referrers(repositories: Collection[int], subjects: Collection[str]) -> "Select[Any]":
    """Select what is about manifests: ``repository_id``, ``subject``, ``digest``, and the ``tag`` that says so."""
    named = _named(repositories, subjects).subquery()
    # A subject is named in the manifest itself, wherever that lies; a tag names it in its own repository.
    is_here = or_(named.c.place.is_(None), named.c.place == _HELD.repository_id)
    return (
        select(_HELD.repository_id, named.c.subject, named.c.digest, named.c.tag)
        .select_from(named.join(repository_manifests, _HELD.digest == named.c.digest))
        .where(_HELD.repository_id.in_(repositories), _HELD.present, is_here)
    )


def _named(repositories: Collection[int], subjects: Collection[str]) -> "CompoundSelect[Any]":
    """Every way in which a manifest may be about another: its subject, an index of referrers, a tag's name."""
    is_about = tags.c.repository_id.in_(repositories) & tags.c.referrer_of.in_(subjects) & tags.c.present
    nowhere, place, no_tag = null().label("place"), tags.c.repository_id.label("place"), null().label("tag")
    subject = manifests.c.subject
    by_subject = select(nowhere, subject, manifests.c.digest, no_tag).where(subject.in_(subjects))
    # The tag without a suffix is that of an index, which lists what is about the manifest.
    is_list = func.length(tags.c.name) == _LENGTH_WITHOUT_SUFFIX
    by_list = (
        select(place, tags.c.referrer_of, manifest_children.c.digest, no_tag)
        .join_from(tags, manifest_children, tags.c.digest == manifest_children.c.parent_digest)
        .where(is_about, is_list)
    )
    by_tag = select(place, tags.c.referrer_of, tags.c.digest, tags.c.name.label("tag")).where(is_about, ~is_list)
    return union_all(by_subject, by_list, by_tag)


_LENGTH_WITHOUT_SUFFIX = len(f"sha256-{64 * '0'}")


def _annotations(connection: Connection, digests: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    said = manifest_labels.c
    query = select(said.manifest_digest, said.key, said.value).where(
        said.manifest_digest.in_(digests), said.is_annotation
    )
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for digest, key, value in connection.execute(query):
        found[digest][key] = value
    return found


def _referrer(row: Row[Any]) -> ReferrerRow:
    return ReferrerRow(
        digest=Digest(row.digest),
        media_type=row.media_type,
        artifact_type=row.artifact_type,
        size_bytes=row.size_bytes,
        tag=Tag(row.tag) if row.tag else None,
        pushed_at=row.written_at if row.written_by_event else None,
        pushed_by=row.pushed_by,
    )
