"""Tags as the API lists them, always through the caller's visibility."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from services.catalog.domain.index import BY_DIGEST
from services.catalog.storage.folding import is_folded
from services.catalog.storage.referrer_queries import count_referrers
from services.catalog.storage.tables import manifest_children, manifests, pulls, repositories, tags
from services.catalog.storage.visible import visible_to
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Visibility

MAX_LISTED = 200
"""So many entries of an index are looked through for platforms."""


FOLDED = "folded"
"""Query parameter that asks for the tags that are left out otherwise."""

TAGS = Listing(
    {
        "id": Listed(tags.c.id),
        "name": Listed(tags.c.name, prefix=True),
        "digest": Listed(tags.c.digest, prefix=True),
        "media_type": Listed(manifests.c.media_type),
        "artifact_type": Listed(manifests.c.artifact_type),
        "size_bytes": Listed(manifests.c.size_bytes),
        "updated_at": Listed(tags.c.written_at),
        "first_seen_at": Listed(tags.c.first_seen_at),
        "pushed_at": Listed(tags.c.pushed_at),
        "pushed_by": Listed(tags.c.pushed_by),
        FOLDED: Listed(is_folded()),
    },
    search=[tags.c.name],
    order=Order("updated_at", descending=True),
)
"""What the list of a repository's tags is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """One image that a tag offers."""

    os: str
    architecture: str
    variant: str | None
    digest: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag as a list shows it; what its manifest says is ``None`` while that is not known."""

    id: int
    name: str
    digest: str
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    updated_at: datetime
    """When it was last written, as far as we know."""
    first_seen_at: datetime
    pushed_at: datetime | None
    pushed_by: str | None
    known: bool
    platforms: Sequence[PlatformRow] = ()
    pulls: int = 0
    pulled_at: datetime | None = None
    referrers: int = 0
    """How much is about its manifest."""


@dataclass(frozen=True, slots=True)
class _Pulled:
    pulls: int = 0
    pulled_at: datetime | None = None

    def __add__(self, other: "_Pulled") -> "_Pulled":
        times = [time for time in (self.pulled_at, other.pulled_at) if time]
        return _Pulled(self.pulls + other.pulls, max(times, default=None))


def list_tags(
    connection: Connection, visibility: Visibility, repository: int, request: ListRequest
) -> Page[TagRow] | Slice[TagRow]:
    """Return a part of a repository's tags, without those that only say what is about another manifest.

    Args:
        repository: its id; a repository that the caller may not see has no tags.
    """
    conditions = [tags.c.repository_id == repository, tags.c.present, visible_to(visibility, connection.dialect)]
    if FOLDED not in request.filters:
        conditions.append(~is_folded())
    part = fetch_part(connection, _tags().where(*conditions), TAGS, request, load=_tag_row)
    return replace(part, rows=_complete(connection, repository, part.rows))


def _tags() -> Select[Any]:
    of_tag = (
        tags.c[name] for name in ("id", "name", "digest", "written_at", "pushed_at", "pushed_by", "first_seen_at")
    )
    of_manifest = (
        manifests.c[name] for name in ("media_type", "artifact_type", "size_bytes", "os", "architecture", "variant")
    )
    known = manifests.c.body.is_not(None).label("known")
    joined = tags.join(repositories).join(manifests, manifests.c.digest == tags.c.digest, isouter=True)
    return select(*of_tag, *of_manifest, known).select_from(joined)


def _tag_row(row: Any) -> TagRow:
    own = PlatformRow(row.os, row.architecture, row.variant, row.digest, row.size_bytes) if row.os else None
    return TagRow(
        id=row.id,
        name=row.name,
        digest=row.digest,
        media_type=row.media_type,
        artifact_type=row.artifact_type,
        size_bytes=row.size_bytes,
        updated_at=row.written_at,
        first_seen_at=row.first_seen_at,
        pushed_at=row.pushed_at,
        pushed_by=row.pushed_by,
        known=bool(row.known),
        platforms=(own,) if own else (),
    )


def _complete(connection: Connection, repository: int, rows: Sequence[TagRow]) -> Sequence[TagRow]:
    digests = {row.digest for row in rows}
    platforms = _platforms(connection, digests)
    by_tag = _pulled(connection, repository, pulls.c.tag, pulls.c.tag.in_({row.name for row in rows}))
    of_digests = (pulls.c.tag == BY_DIGEST) & pulls.c.digest.in_(digests)
    by_digest = _pulled(connection, repository, pulls.c.digest, of_digests)
    referrers = count_referrers(connection, repository, digests)
    completed = []
    for row in rows:
        # containerd and docker ask for the tag's digest first and then pull that digest.
        pulled = by_tag.get(row.name, _Pulled()) + by_digest.get(row.digest, _Pulled())
        listed = row.platforms or tuple(platforms[row.digest])
        completed.append(
            replace(
                row,
                platforms=listed,
                pulls=pulled.pulls,
                pulled_at=pulled.pulled_at,
                referrers=referrers.get(row.digest, 0),
            )
        )
    return completed


def _platforms(connection: Connection, indexes: Collection[str]) -> dict[str, list[PlatformRow]]:
    listed, child = manifest_children.c, manifests.alias()
    query = (
        select(listed.parent_digest, listed.os, listed.architecture, listed.variant, listed.digest, child.c.size_bytes)
        .select_from(manifest_children.join(child, child.c.digest == listed.digest, isouter=True))
        .where(listed.parent_digest.in_(indexes), listed.position < MAX_LISTED)
        .where(listed.os.is_not(None), ~listed.is_attestation)
        .order_by(listed.parent_digest, listed.position)
    )
    found: dict[str, list[PlatformRow]] = defaultdict(list)
    for parent, *platform in connection.execute(query):
        found[parent].append(PlatformRow(*platform))
    return found


def _pulled(
    connection: Connection, repository: int, key: ColumnElement[str], condition: ColumnElement[bool]
) -> dict[str, _Pulled]:
    query = (
        select(key, func.sum(pulls.c.pulls), func.max(pulls.c.pulled_at))
        .where(pulls.c.repository_id == repository, condition)
        .group_by(key)
    )
    return {name: _Pulled(int(total), pulled_at) for name, total, pulled_at in connection.execute(query)}


def list_present_tags(
    connection: Connection, repository: RepositoryName, names: Collection[Tag] | None = None
) -> dict[Tag, Digest]:
    """Return where tags of a repository point, for crawls and deletions; no caller ever sees this.

    Args:
        names: only these tags.
    """
    query = (
        select(tags.c.name, tags.c.digest)
        .select_from(tags.join(repositories))
        .where(repositories.c.full_name == repository, tags.c.present)
    )
    if names is not None:
        query = query.where(tags.c.name.in_(names))
    return {Tag(name): Digest(digest) for name, digest in connection.execute(query)}
