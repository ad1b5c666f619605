"""Searching the index, always through the caller's visibility.

Repositories are looked for by any part of their names, everything else by its beginning: those have
indexes. Each query stops when it has enough, so that it costs what it finds and not what there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    select,
    true,
)

from services.catalog.storage.folding import is_folded
from services.catalog.storage.tables import manifest_labels, repositories, repository_manifests, tags
from services.catalog.storage.visible import visible_to
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Visibility

_R, _T, _M, _L = repositories.c, tags.c, repository_manifests.c, manifest_labels.c


@dataclass(frozen=True, slots=True)
class RepositoryHit:
    """A repository."""

    repository_id: int
    repository: str
    tags_count: int
    description: str | None


@dataclass(frozen=True, slots=True)
class TagHit:
    """A tag."""

    tag_id: int
    tag: str
    digest: str
    repository_id: int
    repository: str


@dataclass(frozen=True, slots=True)
class DigestHit:
    """A manifest in a repository."""

    digest: str
    repository_id: int
    repository: str


@dataclass(frozen=True, slots=True)
class LabelHit:
    """A manifest in a repository, for what it says of itself."""

    key: str
    value: str
    is_annotation: bool
    digest: str
    repository_id: int
    repository: str


@dataclass(frozen=True, slots=True)
class PersonHit:
    """Somebody who has pushed what the caller may see."""

    username: str


def search_repositories(
    connection: Connection, visibility: Visibility, part: str, *, limit: int
) -> Sequence[RepositoryHit]:
    """Return repositories with a part in their names: first the one so called, then those that begin so."""
    name = _R.full_name
    rank = case(
        (name == part, 0),
        (name.endswith(f"/{part}", autoescape=True), 1),
        (name.startswith(part, autoescape=True), 2),
        (name.contains(f"/{part}", autoescape=True), 3),
        else_=4,
    )
    query = (
        select(_R.id, name, _R.tags_count, _R.description)
        .where(name.contains(part, autoescape=True), visible_to(visibility, connection.dialect))
        .order_by(rank, name)
        .limit(limit)
    )
    return [RepositoryHit(*row) for row in connection.execute(query)]


def search_tags(
    connection: Connection,
    visibility: Visibility,
    start: str,
    *,
    repository: RepositoryName | None = None,
    limit: int,
) -> Sequence[TagHit]:
    """Return tags that begin in some way, by name.

    Args:
        repository: only those of repositories whose name ends with this one.
    """
    seen = visible_to(visibility, connection.dialect)
    if repository is not None:
        seen = and_(seen, (_R.full_name == repository) | _R.full_name.endswith(f"/{repository}", autoescape=True))
    columns = (_T.id, _T.name, _T.digest, _T.repository_id)
    wanted = and_(_T.present, _begins_with(_T.name, start), ~is_folded())
    if connection.dialect.name == "sqlite" or (visibility.everything and repository is None):
        query = select(*columns, _R.full_name).join_from(tags, repositories).where(wanted, seen)
        return _tag_hits(connection, query.order_by(_T.name, _T.repository_id).limit(limit))
    # A caller who sees little may have to pass over nearly all tags that begin so: their own repositories first.
    places = select(_R.id, _R.full_name).where(seen).cte("places")
    own = select(*columns).where(wanted, _T.repository_id == places.c.id).order_by(_T.name).limit(limit).lateral()
    found: Select[Any] = select(*own.c, places.c.full_name).select_from(places.join(own, true()))
    return _tag_hits(connection, found.order_by(own.c.name, own.c.repository_id).limit(limit))


def _tag_hits(connection: Connection, query: Select[Any]) -> Sequence[TagHit]:
    return [TagHit(*row) for row in connection.execute(query)]


def find_tag_hit(connection: Connection, visibility: Visibility, repository: RepositoryName, tag: Tag) -> TagHit | None:
    """Return one tag."""
    query = select(_T.id, _T.name, _T.digest, _T.repository_id, _R.full_name).join_from(tags, repositories)
    named = and_(_R.full_name == repository, _T.name == tag, _T.present)
    row = connection.execute(query.where(named, visible_to(visibility, connection.dialect))).one_or_none()
    return TagHit(*row) if row else None


def search_digests(
    connection: Connection,
    visibility: Visibility,
    start: str | Digest,
    *,
    repository: RepositoryName | None = None,
    limit: int,
) -> Sequence[DigestHit]:
    """Return manifests whose digests begin in some way, in the repositories where they lie."""
    query = (
        select(_M.digest, _M.repository_id, _R.full_name)
        .join_from(repository_manifests, repositories)
        .where(_M.present, _begins_with(_M.digest, start), visible_to(visibility, connection.dialect, or_empty=True))
        .order_by(_M.digest, _M.repository_id)
        .limit(limit)
    )
    if repository is not None:
        query = query.where(_R.full_name == repository)
    return [DigestHit(*row) for row in connection.execute(query)]


def search_labels(
    connection: Connection, visibility: Visibility, key: str, value: str | None, *, limit: int
) -> Sequence[LabelHit]:
    """Return manifests that carry a label or annotation.

    Args:
        key: the whole key where a value is given, else its beginning.
        value: the beginning of the value.
    """
    named = _begins_with(_L.key, key) if value is None else and_(_L.key == key, _begins_with(_L.value, value))
    query = (
        select(_L.key, _L.value, _L.is_annotation, _L.manifest_digest, _M.repository_id, _R.full_name)
        .join_from(manifest_labels, repository_manifests, _M.digest == _L.manifest_digest)
        .join(repositories, _R.id == _M.repository_id)
        .where(_M.present, named, visible_to(visibility, connection.dialect, or_empty=True))
        .order_by(_L.key, _L.value, _L.manifest_digest, _M.repository_id)
        .limit(limit)
    )
    return [LabelHit(*row) for row in connection.execute(query)]


def search_people(connection: Connection, visibility: Visibility, start: str, *, limit: int) -> Sequence[PersonHit]:
    """Return those who have pushed a tag that the caller may see, by name."""
    query = (
        select(_T.pushed_by)
        .join_from(tags, repositories)
        .where(_T.present, _begins_with(_T.pushed_by, start), visible_to(visibility, connection.dialect))
        .group_by(_T.pushed_by)
        .order_by(_T.pushed_by)
        .limit(limit)
    )
    return [PersonHit(name) for name in connection.scalars(query) if name]


def _begins_with(column: ColumnElement[Any], start: str) -> ColumnElement[bool]:
    # As a range, which both databases look up in an index. No character comes after the last one.
    return and_(column >= start, column < start + chr(0x10FFFF), func.substr(column, 1, len(start)) == start)
