"""Tags as the API lists them, always through the caller's visibility."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from services.catalog.domain.versions import version_key
from services.catalog.storage.folding import is_folded
from services.catalog.storage.tables import repositories, tags
from services.catalog.storage.tag_rows import (
    BY_VERSION,
    FOLDED,
    GROUPS,
    TAGS,
    TagRow,
    complete_tags,
    load_tag,
    select_tags,
)
from services.catalog.storage.visible import visible_to
from shared.api.paging import ListRequest, Page, TooManyRows
from shared.api.slices import Slice
from shared.listing import fetch_part
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Visibility

MAX_IN_GROUP = 1000
"""So many tags on one digest are shown in a group."""
MAX_SORTED = 20_000
"""So many tags of a repository are sorted by version."""


class TooManyToSort(TooManyRows):
    """A list is too long to be sorted by version."""

    def __init__(self) -> None:
        Exception.__init__(
            self,
            f"More than {MAX_SORTED} tags are not sorted by version: narrow the list with a filter, or sort by name.",
        )


def list_tags(
    connection: Connection, visibility: Visibility, request: ListRequest, *, repository: int | None = None
) -> Page[TagRow] | Slice[TagRow]:
    """Return a part of the tags that a caller sees, without those that only say what is about another manifest.

    Args:
        repository: only those of this one; one that the caller may not see has none.

    Raises:
        TooManyToSort: they are to be sorted by version, and are too many for it.
    """
    query = _shown(connection, visibility, repository)
    if FOLDED not in request.filters:
        query = query.where(~is_folded())
    by_version = request.order.attribute == BY_VERSION
    part = (
        _sort_by_version(connection, query, request)
        if by_version
        else fetch_part(connection, query, TAGS, request, load=load_tag)
    )
    return replace(part, rows=complete_tags(connection, part.rows))


def _sort_by_version(connection: Connection, query: Select[Any], request: ListRequest) -> Page[TagRow]:
    """Return a page of tags by version, which no database can sort by.

    Raises:
        TooManyToSort: there are more than are held in memory at once.
    """
    query = query.where(*TAGS.conditions(request.filters))
    named = connection.execute(query.with_only_columns(tags.c.id, tags.c.name).limit(MAX_SORTED + 1)).all()
    if len(named) > MAX_SORTED:
        raise TooManyToSort
    ordered = sorted(named, key=lambda row: (version_key(row.name), row.id), reverse=request.order.descending)
    page = request.page
    ids = [row.id for row in ordered[page.offset : page.offset + page.per_page]]
    found = {row.id: load_tag(row) for row in connection.execute(query.where(tags.c.id.in_(ids)))}
    return Page([found[one] for one in ids if one in found], len(named), page)


def find_tag_row(
    connection: Connection, visibility: Visibility, tag: int, *, repository: int | None = None
) -> TagRow | None:
    """Return a tag, or ``None`` when it is missing or not to be seen."""
    row = connection.execute(_shown(connection, visibility, repository).where(tags.c.id == tag)).one_or_none()
    return complete_tags(connection, [load_tag(row)])[0] if row else None


def list_groups(
    connection: Connection, visibility: Visibility, repository: int, request: ListRequest
) -> Page[Sequence[TagRow]] | Slice[Sequence[TagRow]]:
    """Return a part of a repository's tags by digest; a group stands where its newest tag does."""
    shown = _shown(connection, visibility, repository).where(~is_folded())
    ranked = shown.add_columns(_PLACE.label("place")).subquery()
    newest = shown.where(tags.c.id.in_(select(ranked.c.id).where(ranked.c.place == 1)))
    part = fetch_part(connection, newest, GROUPS, request, load=_alone)
    groups: dict[str, list[TagRow]] = defaultdict(list)
    for row in complete_tags(connection, _in_groups(connection, shown, [first.digest for (first,) in part.rows])):
        groups[row.digest].append(row)
    return replace(part, rows=[groups[first.digest] for (first,) in part.rows])


_PLACE = func.row_number().over(partition_by=tags.c.digest, order_by=(tags.c.written_at.desc(), tags.c.id.desc()))
"""A tag's place among those on its digest, the newest first."""


def _alone(row: Row[Any]) -> Sequence[TagRow]:
    return [load_tag(row)]


def _in_groups(connection: Connection, shown: Select[Any], digests: Collection[str]) -> Sequence[TagRow]:
    """Return the newest tags on each of some digests."""
    ranked = shown.where(tags.c.digest.in_(digests)).add_columns(_PLACE.label("place")).subquery()
    newest = select(ranked).where(ranked.c.place <= MAX_IN_GROUP).order_by(ranked.c.place)
    return [load_tag(row) for row in connection.execute(newest)]


def _shown(connection: Connection, visibility: Visibility, repository: int | None) -> Select[Any]:
    query = select_tags().where(visible_to(visibility, connection.dialect))
    return query if repository is None else query.where(tags.c.repository_id == repository)


def list_present_tags(
    connection: Connection,
    repository: RepositoryName,
    names: Collection[Tag] | None = None,
    *,
    before: datetime | None = None,
) -> dict[Tag, Digest]:
    """Return where tags of a repository point, for crawls and deletions; no caller ever sees this.

    Args:
        names: only these tags.
        before: only what was written before then.
    """
    query = _present_tags(by_name=names is not None, by_time=before is not None)
    given = {"repository": repository, "names": list(names or ()), "before": before}
    return {Tag(name): Digest(digest) for name, digest in connection.execute(query, given)}


@cache
def _present_tags(*, by_name: bool, by_time: bool) -> Select[Any]:
    query = (
        select(tags.c.name, tags.c.digest)
        .select_from(tags.join(repositories))
        .where(repositories.c.full_name == bindparam("repository"), tags.c.present)
    )
    if by_name:
        query = query.where(tags.c.name.in_(bindparam("names", expanding=True)))
    return query.where(tags.c.written_at < bindparam("before")) if by_time else query
