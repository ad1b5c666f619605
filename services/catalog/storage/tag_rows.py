"""Tags as the API shows them: the columns of one, and what is known of it from elsewhere."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select, true

from services.catalog.domain.index import BY_DIGEST
from services.catalog.domain.referrers import Kind
from services.catalog.storage.drift import find_dangling
from services.catalog.storage.folding import is_folded
from services.catalog.storage.referrer_queries import count_referrers
from services.catalog.storage.scan_queries import WAITING, FindingRow, ScanRow, find_scans
from services.catalog.storage.tables import manifest_children, manifests, pulls, repositories, tags
from services.catalog.storage.tag_marks import find_immutable, find_overwritten, list_referrer_kinds
from shared.api.paging import Order
from shared.listing import Listed, Listing

MAX_LISTED = 200
"""So many entries of an index are looked through for platforms."""


def _offers(platform: str) -> ColumnElement[bool]:
    """Return the WHERE of what runs on a platform: ``os``, ``os/architecture`` or ``os/architecture/variant``."""
    os, architecture, variant = [*platform.split("/", 2), None, None][:3]
    wanted = {"os": os, "architecture": architecture, "variant": variant}
    named = {name: value for name, value in wanted.items() if value}
    if not named:
        return true()
    child = manifest_children.c
    listed = exists().where(
        child.parent_digest == tags.c.digest,
        ~child.is_attestation,
        *(child[name] == value for name, value in named.items()),
    )
    return or_(and_(*(manifests.c[name] == value for name, value in named.items())), listed)


FOLDED = "folded"
"""Query parameter that asks for the tags that are left out otherwise."""

TAGS = Listing(
    {
        "id": Listed(tags.c.id),
        "name": Listed(tags.c.name, prefix=True),
        "repository": Listed(repositories.c.full_name, prefix=True),
        "namespace": Listed(repositories.c.namespace),
        "digest": Listed(tags.c.digest, prefix=True),
        "media_type": Listed(manifests.c.media_type),
        "artifact_type": Listed(manifests.c.artifact_type),
        "size_bytes": Listed(manifests.c.size_bytes),
        "updated_at": Listed(tags.c.written_at),
        "first_seen_at": Listed(tags.c.first_seen_at),
        "pushed_at": Listed(tags.c.pushed_at),
        "pushed_by": Listed(tags.c.pushed_by),
        "platform": Listed(manifests.c.os, matches=_offers, orders=False, sortable=False),
        FOLDED: Listed(is_folded()),
    },
    search=[tags.c.name],
    order=Order("updated_at", descending=True),
)
"""What lists of tags are sorted and narrowed by."""

BY_VERSION = "version"
TAGS_OF_ONE = replace(TAGS, columns={**TAGS.columns, BY_VERSION: Listed(tags.c.name, sortable=False, narrows=False)})
"""What the list of a repository's tags is sorted and narrowed by."""

GROUPS = Listing(
    {
        "id": Listed(tags.c.id),
        "digest": Listed(tags.c.digest, prefix=True),
        "updated_at": Listed(tags.c.written_at),
    },
    order=Order("updated_at", descending=True),
)
"""What lists of tags by digest are sorted and narrowed by, each group as its newest tag."""


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
    repository_id: int
    repository: str
    """Its full name."""
    name: str
    digest: str
    config_digest: str | None
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
    dangling: bool = False
    """Whether the registry lists it and has no manifest for it, as the last crawl that looked found."""
    referrer_kinds: Sequence[Kind] = ()
    """What kinds of things those are."""
    immutable: bool = False
    """Whether a rule says that it must not move."""
    overwritten: bool = False
    """Whether it pointed at something else before."""
    scan: ScanRow = WAITING
    """That of its digest."""
    vulnerabilities: Sequence[FindingRow] | None = None
    """The worst; ``None``: there is no report, or nobody has asked."""


@dataclass(frozen=True, slots=True)
class _Pulled:
    pulls: int = 0
    pulled_at: datetime | None = None

    def __add__(self, other: "_Pulled") -> "_Pulled":
        times = [time for time in (self.pulled_at, other.pulled_at) if time]
        return _Pulled(self.pulls + other.pulls, max(times, default=None))


def select_tags() -> Select[Any]:
    """Return a select of tags that ``load_tag`` reads, with their repositories to be narrowed by."""
    of_tag = ("id", "repository_id", "name", "digest", "written_at", "pushed_at", "pushed_by", "first_seen_at")
    of_manifest = ("media_type", "artifact_type", "size_bytes", "config_digest", "os", "architecture", "variant")
    known = manifests.c.body.is_not(None).label("known")
    joined = tags.join(repositories).join(manifests, manifests.c.digest == tags.c.digest, isouter=True)
    columns = (*(tags.c[name] for name in of_tag), *(manifests.c[name] for name in of_manifest))
    return select(*columns, repositories.c.full_name, known).select_from(joined).where(tags.c.present)


def load_tag(row: Row[Any]) -> TagRow:
    """Read a row of ``select_tags``; ``complete_tags`` does the rest."""
    own = PlatformRow(row.os, row.architecture, row.variant, row.digest, row.size_bytes) if row.os else None
    return TagRow(
        id=row.id,
        repository_id=row.repository_id,
        repository=row.full_name,
        name=row.name,
        digest=row.digest,
        config_digest=row.config_digest,
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


def complete_tags(connection: Connection, rows: Sequence[TagRow]) -> Sequence[TagRow]:
    """Add what takes further queries, the same number for any number of tags and repositories."""
    digests = {row.digest for row in rows}
    places = {row.repository_id for row in rows}
    platforms = _platforms(connection, digests)
    by_tag = _pulled(connection, places, pulls.c.tag, pulls.c.tag.in_({row.name for row in rows}))
    of_digests = (pulls.c.tag == BY_DIGEST) & pulls.c.digest.in_(digests)
    by_digest = _pulled(connection, places, pulls.c.digest, of_digests)
    referrers = count_referrers(connection, places, digests)
    kinds = list_referrer_kinds(connection, places, digests)
    overwritten = find_overwritten(connection, {row.id for row in rows})
    immutable = find_immutable(connection, ((row.repository, row.name) for row in rows))
    dangling = find_dangling(connection, {row.repository for row in rows}, {row.name for row in rows})
    scans = find_scans(connection, digests)
    completed = []
    for row in rows:
        # containerd and docker ask for the tag's digest first and then pull that digest.
        own = by_tag.get((row.repository_id, row.name), _Pulled())
        pulled = own + by_digest.get((row.repository_id, row.digest), _Pulled())
        completed.append(
            replace(
                row,
                platforms=row.platforms or tuple(platforms[row.digest]),
                pulls=pulled.pulls,
                pulled_at=pulled.pulled_at,
                referrers=referrers.get((row.repository_id, row.digest), 0),
                dangling=(row.repository, row.name) in dangling,
                referrer_kinds=kinds.get((row.repository_id, row.digest), ()),
                immutable=(row.repository, row.name) in immutable,
                overwritten=row.id in overwritten,
                scan=scans.get(row.digest, WAITING),
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
    connection: Connection, places: Collection[int], key: ColumnElement[str], condition: ColumnElement[bool]
) -> dict[tuple[int, str], _Pulled]:
    repository = pulls.c.repository_id
    query = (
        select(repository, key, func.sum(pulls.c.pulls), func.max(pulls.c.pulled_at))
        .where(repository.in_(places), condition)
        .group_by(repository, key)
    )
    return {(place, name): _Pulled(int(total), at) for place, name, total, at in connection.execute(query)}
