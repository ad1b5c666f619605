"""What hangs on what is to be deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, exists, func, or_, select

from services.catalog.domain.deletions import IndexRef, ReferrerRef, TagPlace
from services.catalog.storage.manifests import MAX_NESTING
from services.catalog.storage.referrer_queries import select_referrers
from services.catalog.storage.tables import (
    manifest_blobs,
    manifest_children,
    manifests,
    repositories,
    repository_manifests,
    tags,
)
from services.catalog.storage.visible import visible_to
from shared.oci.media_types import INDEXES
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Visibility

MAX_NAMED = 1000
"""So many tags, indexes and referrers are named of one deletion."""

_DIGESTS_PER_STATEMENT = 500

_HELD = repository_manifests.c


@dataclass(frozen=True, slots=True)
class Freed:
    """What would come back of the registry's storage."""

    size_bytes: int
    is_exact: bool


def find_tag(connection: Connection, visibility: Visibility, tag: int) -> TagPlace | None:
    """Return a tag, or ``None`` when it is missing or not to be seen."""
    query = _select_places().where(tags.c.id == tag, tags.c.present, visible_to(visibility, connection.dialect))
    row = connection.execute(query).one_or_none()
    return _place(row) if row else None


def find_tags(connection: Connection, repository: int, names: Collection[Tag]) -> Sequence[TagPlace]:
    """Return the tags of a repository by their names, those that there are; whether they may be seen is decided."""
    query = _select_places().where(tags.c.repository_id == repository, tags.c.name.in_(names), tags.c.present)
    return [_place(row) for row in connection.execute(query)]


def _select_places() -> "Select[Any]":
    columns = (tags.c.id, tags.c.repository_id, repositories.c.full_name, tags.c.name, tags.c.digest)
    return select(*columns).select_from(tags.join(repositories))


def _place(row: Row[Any]) -> TagPlace:
    return TagPlace(row.id, row.repository_id, RepositoryName(row.full_name), Tag(row.name), Digest(row.digest))


def holds_manifest(connection: Connection, repository: int, digest: Digest) -> bool:
    """Tell whether a manifest lies in a repository."""
    query = select(_HELD.digest).where(_HELD.repository_id == repository, _HELD.digest == digest, _HELD.present)
    return connection.scalar(query) is not None


def list_tags_on(connection: Connection, repository: int, digest: Digest) -> Sequence[Tag]:
    """Return the tags of a repository on a digest, by name."""
    query = select(tags.c.name).where(tags.c.repository_id == repository, tags.c.digest == digest, tags.c.present)
    return [Tag(name) for name in connection.scalars(query.order_by(tags.c.name).limit(MAX_NAMED))]


def list_tags_in(connection: Connection, repository: int) -> Sequence[Tag]:
    """Return the first tags of a repository, by name."""
    query = select(tags.c.name).where(tags.c.repository_id == repository, tags.c.present)
    return [Tag(name) for name in connection.scalars(query.order_by(tags.c.name).limit(MAX_NAMED))]


def count_tags(connection: Connection, repository: int, digest: Digest | None = None) -> int:
    """Return how many tags a repository has, or has on a digest."""
    query = select(func.count()).where(tags.c.repository_id == repository, tags.c.present)
    return _sum(connection, query if digest is None else query.where(tags.c.digest == digest))


def list_indexes_with(connection: Connection, repository: int, digest: Digest) -> Sequence[IndexRef]:
    """Return the indexes of a repository that list a digest."""
    query = (
        select(_HELD.digest)
        .distinct()
        .select_from(repository_manifests.join(manifest_children, manifest_children.c.parent_digest == _HELD.digest))
        .where(_HELD.repository_id == repository, _HELD.present, manifest_children.c.digest == digest)
        .order_by(_HELD.digest)
        .limit(MAX_NAMED)
    )
    found = [Digest(one) for one in connection.scalars(query)]
    return [IndexRef(one, list_tags_on(connection, repository, one)) for one in found]


def list_referrers_to(connection: Connection, repository: int, digest: Digest) -> Sequence[ReferrerRef]:
    """Return what is about a manifest in a repository: by its subject, by an index of referrers, or by a tag."""
    there = select_referrers([repository], [digest]).subquery()
    query = (
        select(there.c.digest, manifests.c.artifact_type, func.max(there.c.tag).label("tag"))
        .select_from(there.outerjoin(manifests, manifests.c.digest == there.c.digest))
        .group_by(there.c.digest, manifests.c.artifact_type)
        .order_by(there.c.digest)
        .limit(MAX_NAMED)
    )
    return [
        ReferrerRef(Digest(row.digest), row.artifact_type, Tag(row.tag) if row.tag else None)
        for row in connection.execute(query)
    ]


def list_referrer_tags(connection: Connection, repository: RepositoryName, digest: Digest) -> Sequence[TagPlace]:
    """Return the tags that are made of a digest, and of the digests that go with these: nothing else leads to them.

    What is about something comes behind the tags that this has.
    """
    found, subjects, followed = dict[Tag, TagPlace](), {digest}, {digest}
    for _ in range(MAX_NESTING):
        query = _select_places().where(
            repositories.c.full_name == repository, tags.c.referrer_of.in_(subjects), tags.c.present
        )
        fresh = [_place(row) for row in connection.execute(query.order_by(tags.c.name).limit(MAX_NAMED))]
        found |= {place.name: place for place in fresh if place.name not in found}
        subjects = set(_list_freed(connection, digest, list(found.values()))) - followed
        followed |= subjects
        if not subjects:
            break
    return list(found.values())[:MAX_NAMED]


def list_doomed(connection: Connection, digest: Digest, also: Collection[TagPlace]) -> Sequence[Digest]:
    """Return a manifest with those others that go with it when some tags of its repository do."""
    return list(dict.fromkeys([digest, *_list_freed(connection, digest, also)]))


def _list_freed(connection: Connection, digest: Digest, also: Collection[TagPlace]) -> Sequence[Digest]:
    """Return what some tags of a repository point at, and nothing leads to when they and a manifest are gone."""
    names = {place.name for place in also}
    on = {place.digest: list_tags_on(connection, place.repository_id, place.digest) for place in also}
    within = {place.digest: list_indexes_with(connection, place.repository_id, place.digest) for place in also}
    freed = {one for one, known in on.items() if names.issuperset(known)}
    # What an index holds that stays, stays.
    while held := {one for one in freed if not (freed | {digest}).issuperset(index.digest for index in within[one])}:
        freed -= held
    return [one for one in on if one in freed]


def list_left_untagged(connection: Connection, repository: int, digests: Collection[Digest]) -> Sequence[Digest]:
    """Return what would be held by nothing any more in a repository without some indexes, at any depth."""
    doomed, fresh = set(digests), set(digests)
    for _ in range(MAX_NESTING):
        fresh = set(_held_by_nothing_else(connection, repository, fresh, doomed)) - doomed
        if not fresh:
            break
        doomed |= fresh
    return sorted(doomed - set(digests))[:MAX_NAMED]


def _held_by_nothing_else(
    connection: Connection, repository: int, parents: Collection[Digest], doomed: Collection[Digest]
) -> Sequence[Digest]:
    child, other = manifest_children.c, manifest_children.alias()
    is_tagged = exists().where(tags.c.repository_id == repository, tags.c.digest == child.digest, tags.c.present)
    is_elsewhere = exists().where(
        other.c.digest == child.digest,
        other.c.parent_digest.not_in(doomed),
        _HELD.repository_id == repository,
        _HELD.digest == other.c.parent_digest,
        _HELD.present,
    )
    query = select(child.digest).distinct().where(child.parent_digest.in_(parents), ~is_tagged, ~is_elsewhere)
    return [Digest(found) for found in connection.scalars(query)]


def find_unread(connection: Connection, digests: Collection[Digest]) -> set[Digest]:
    """Return which of some digests may be indexes, as far as the index knows: it has not read their manifests."""
    query = select(manifests.c.digest).where(_IS_READ | manifests.c.media_type.not_in(INDEXES))
    ordered, read = sorted(digests), set[str]()
    for start in range(0, len(ordered), _DIGESTS_PER_STATEMENT):
        chunk = ordered[start : start + _DIGESTS_PER_STATEMENT]
        read.update(connection.scalars(query.where(manifests.c.digest.in_(chunk))))
    return {digest for digest in ordered if digest not in read}


def list_unread_in(connection: Connection, repository: RepositoryName, *, limit: int) -> set[Digest]:
    """Return manifests of a repository that may be indexes and were not read."""
    child = manifest_children.c
    number = select(repositories.c.id).where(repositories.c.full_name == repository).scalar_subquery()
    said = select(func.max(child.media_type)).where(child.digest == _HELD.digest).scalar_subquery()
    media_type = func.coalesce(manifests.c.media_type, said)
    query = _select_unread(number).where(media_type.is_(None) | media_type.in_(INDEXES))
    return {Digest(digest) for digest in connection.scalars(query.limit(limit))}


def has_unread(connection: Connection, repository: int) -> bool:
    """Tell whether a repository has a manifest that was not read, so that it is not known what that leads to."""
    return connection.scalar(_select_unread(repository).limit(1)) is not None


def _select_unread(repository: int | ScalarSelect[int]) -> "Select[Any]":
    return (
        select(_HELD.digest)
        .select_from(repository_manifests.outerjoin(manifests, manifests.c.digest == _HELD.digest))
        .where(_HELD.repository_id == repository, _HELD.present, or_(manifests.c.digest.is_(None), ~_IS_READ))
    )


_IS_READ = manifests.c.body.is_not(None) & manifests.c.readable


def freed_by(connection: Connection, repository: int, digests: Collection[Digest] | None = None) -> Freed:
    """Return what the registry's storage would lose with some manifests of a repository, or with all of them.

    A layer is stored once, whoever refers to it: it goes with the last manifest of any repository.
    """
    is_doomed = _held(repository, digests)
    doomed = select(_HELD.digest).where(is_doomed)
    blob, holder = manifest_blobs.c, manifest_blobs.alias()
    is_needed = exists().where(
        holder.c.digest == blob.digest, _HELD.digest == holder.c.manifest_digest, _HELD.present, ~is_doomed
    )
    blobs = (
        select(blob.digest, func.max(blob.size_bytes).label("size_bytes"))
        .where(blob.manifest_digest.in_(doomed), ~is_needed)
        .group_by(blob.digest)
        .subquery()
    )
    total = _sum(connection, select(func.sum(blobs.c.size_bytes)))
    other = repository_manifests.alias("other").c
    elsewhere = exists().where(other.digest == _HELD.digest, other.present, other.repository_id != repository)
    own = (
        select(func.sum(func.length(manifests.c.body)).filter(~elsewhere), func.count().filter(_IS_UNKNOWN))
        .select_from(repository_manifests.outerjoin(manifests, manifests.c.digest == _HELD.digest))
        .where(is_doomed)
    )
    bodies, unknown = connection.execute(own).one()
    return Freed(total + int(bodies or 0), is_exact=not unknown)


# Schema 1 says no sizes.
_IS_UNKNOWN = or_(manifests.c.body.is_(None), ~manifests.c.readable, manifests.c.size_bytes.is_(None))


def _held(repository: int, digests: Collection[Digest] | None) -> ColumnElement[bool]:
    all_of_it = (_HELD.repository_id == repository) & _HELD.present
    return all_of_it if digests is None else all_of_it & _HELD.digest.in_(digests)


def _sum(connection: Connection, query: "Select[Any]") -> int:
    return int(connection.scalar(query) or 0)
