"""What the portal asks of `catalog`: repositories, their tags, and how fresh the index is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load

from services.web.clients.errors import NotFound
from services.web.clients.peer import Peer
from services.web.clients.scans import ScanEntry, ScanSchema
from services.web.clients.schemas import Moment
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest
from shared.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the index knows it."""

    id: int
    full_name: str
    registry_host: str
    tags_count: int
    size_bytes: int
    pulls: int
    created_at: datetime | None
    updated_at: datetime | None
    description: str | None = None
    stars: int = 0
    starred: bool = False
    """By the visitor."""
    destroyable: bool = False
    """By the visitor; and so are its tags."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform of an image; the digest is that of its own manifest."""

    os: str
    architecture: str
    variant: str | None
    digest: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class TagEntry:
    """A tag and what it points at; most is missing while ``known`` is false."""

    name: str
    digest: str
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    platforms: Sequence[Platform]
    pushed_at: datetime | None
    pushed_by: str | None
    pulled_at: datetime | None
    pulls: int
    known: bool
    referrer_kinds: Sequence[str] = ()
    """What kinds of things are about it: ``signature``, ``sbom``, ``attestation``, ``other``."""
    immutable: bool = False
    overwritten: bool = False
    dangling: bool = False
    """Whether the registry lists it and has no manifest for it."""
    scan: ScanEntry | None = None
    """``None``: nothing is scanned."""


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Which tags of a repository, in which order; ``None`` does not narrow."""

    q: str | None = None
    """A part of their names, or a digest."""
    platform: str | None = None
    """``os/architecture``, with a variant or without."""
    sort: tuple[str, str] | None = None
    """A column and ``asc`` or ``desc``; ``None``: the newest push first."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the index follows the registry."""

    indexed_at: datetime | None
    crawled_at: datetime | None
    waiting: int
    """Manifests that could not be fetched yet."""
    losses: int = 0
    """Loss windows that are open: events may be missing."""
    lossy_since: datetime | None = None
    """The index may be wrong about what came after; ``None`` without a loss."""


@dataclass(frozen=True, slots=True)
class RepositoryFilter:
    """Which repositories to list; ``None`` does not narrow the list."""

    q: str | None = None
    namespace: str | None = None
    starred: bool = False
    in_global: bool = False
    """Only those without a namespace of their own."""
    ghost: bool = False
    """Those in which there is nothing, instead of the others."""
    sort: tuple[str, str] | None = None
    """A column and ``asc`` or ``desc``; ``None``: by name."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Something in a repository that was found; what does not belong to its kind is ``None``."""

    repository: str
    tag: str | None = None
    digest: str | None = None
    key: str | None = None
    """Of a label or annotation."""
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, of each kind."""

    exact: SearchHit | None
    repositories: Sequence[SearchHit]
    tags: Sequence[SearchHit]
    digests: Sequence[SearchHit]
    labels: Sequence[SearchHit]
    people: Sequence[str]
    more: Sequence[str]
    """The kinds of which there is more."""


class _RepositorySchema(Schema):
    id = fields.Integer(required=True)
    full_name = fields.String(required=True)
    registry_host = fields.String(load_default="")
    tags_count = fields.Integer(load_default=0)
    size_bytes = fields.Integer(load_default=0)
    pulls = fields.Integer(load_default=0)
    created_at = Moment()
    updated_at = Moment()
    description = fields.String(allow_none=True, load_default=None)
    stars = fields.Integer(load_default=0)
    starred = fields.Boolean(load_default=False)
    destroyable = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Repository:
        return Repository(**data)


class _PlatformSchema(Schema):
    os = fields.String(load_default="unknown", allow_none=True)
    architecture = fields.String(load_default="unknown", allow_none=True)
    variant = fields.String(load_default=None, allow_none=True)
    digest = fields.String(load_default=None, allow_none=True)
    size_bytes = fields.Integer(load_default=None, allow_none=True)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Platform:
        return Platform(**data)


class _TagSchema(Schema):
    name = fields.String(required=True)
    digest = fields.String(required=True)
    media_type = fields.String(load_default=None, allow_none=True)
    artifact_type = fields.String(load_default=None, allow_none=True)
    size_bytes = fields.Integer(load_default=None, allow_none=True)
    platforms = fields.List(fields.Nested(_PlatformSchema(unknown=EXCLUDE)), load_default=list)
    pushed_at = Moment()
    pushed_by = fields.String(load_default=None, allow_none=True)
    pulled_at = Moment()
    pulls = fields.Integer(load_default=0)
    known = fields.Boolean(load_default=True)
    referrer_kinds = fields.List(fields.String(), load_default=list)
    immutable = fields.Boolean(load_default=False)
    overwritten = fields.Boolean(load_default=False)
    dangling = fields.Boolean(load_default=False)
    scan = fields.Nested(ScanSchema, allow_none=True, load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> TagEntry:
        return TagEntry(**data)


class _GroupsSchema(Schema):
    groups = fields.List(fields.List(fields.Nested(_TagSchema(unknown=EXCLUDE)), required=True))

    @pre_load
    def wrap(self, data: object, **_: object) -> dict[str, object]:
        # A list of lists has no name for marshmallow to hold it by.
        return {"groups": data}

    @post_load
    def unwrap(self, data: dict[str, Any], **_: object) -> Any:
        return data.get("groups", [])


class _HitSchema(Schema):
    repository = fields.String(required=True)
    tag = fields.String(load_default=None)
    digest = fields.String(load_default=None)
    key = fields.String(load_default=None)
    value = fields.String(load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> SearchHit:
        return SearchHit(**data)


class _PersonHitSchema(Schema):
    username = fields.String(required=True)


class _FoundSchema(Schema):
    exact = fields.Nested(_HitSchema(unknown=EXCLUDE), allow_none=True, load_default=None)
    repositories = fields.List(fields.Nested(_HitSchema(unknown=EXCLUDE)), load_default=list)
    tags = fields.List(fields.Nested(_HitSchema(unknown=EXCLUDE)), load_default=list)
    digests = fields.List(fields.Nested(_HitSchema(unknown=EXCLUDE)), load_default=list)
    labels = fields.List(fields.Nested(_HitSchema(unknown=EXCLUDE)), load_default=list)
    people = fields.List(fields.Nested(_PersonHitSchema(unknown=EXCLUDE)), load_default=list)
    more = fields.List(fields.String(), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Found:
        return Found(**{**data, "people": [person["username"] for person in data["people"]]})


class _LossSchema(Schema):
    count = fields.Integer(required=True)
    since = Moment()


class _FreshnessSchema(Schema):
    indexed_at = Moment()
    crawled_at = Moment()
    waiting = fields.Integer(load_default=0, allow_none=True)
    possible_loss = fields.Nested(_LossSchema(unknown=EXCLUDE), allow_none=True, load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Freshness:
        loss = data["possible_loss"] or {}
        since = loss.get("since")
        return Freshness(data["indexed_at"], data["crawled_at"], data["waiting"] or 0, loss.get("count", 0), since)


class CatalogClient:
    """Calls `catalog`; everything is asked as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list_repositories(self, visitor: Visitor, chosen: RepositoryFilter, page: PageRequest) -> Page[Repository]:
        """Return one page of what the visitor may see."""
        flags = {"starred": chosen.starred, "global": chosen.in_global, "ghost": chosen.ghost}
        params = {"q": chosen.q, "namespace": chosen.namespace}
        params |= {name: "true" for name, wanted in flags.items() if wanted}
        params["sort_attr"], params["sort_order"] = chosen.sort or (None, None)
        return self._peer.page(
            "/api/v1/repositories", _RepositorySchema(many=True), page, access_token=visitor.access_token, params=params
        )

    def get_repository(self, visitor: Visitor, name: RepositoryName) -> Repository:
        """Return a repository by its full name.

        Raises:
            NotFound: it does not exist or the visitor may not see it.
        """
        found: Page[Repository] = self._peer.page(
            "/api/v1/repositories",
            _RepositorySchema(many=True),
            PageRequest(per_page=1),
            access_token=visitor.access_token,
            params={"name": name},
        )
        if not found.rows:
            raise NotFound("catalog")
        return found.rows[0]

    def list_tags(self, visitor: Visitor, repository_id: int, chosen: TagFilter, page: PageRequest) -> Page[TagEntry]:
        """Return one page of a repository's tags."""
        path = f"/api/v1/repositories/{repository_id:d}/tags"
        is_digest = chosen.q is not None and chosen.q.startswith(("sha256:", "sha512:"))
        attribute, order = chosen.sort or (None, None)
        return self._peer.page(
            path,
            _TagSchema(many=True, unknown=EXCLUDE),
            page,
            access_token=visitor.access_token,
            params={
                "digest_prefix" if is_digest else "q": chosen.q,
                "platform": chosen.platform,
                "sort_attr": attribute,
                "sort_order": order,
            },
        )

    def list_digests(self, visitor: Visitor, repository_id: int, page: PageRequest) -> Page[Sequence[TagEntry]]:
        """Return one page of a repository's tags by digest, the newest first."""
        path = f"/api/v1/repositories/{repository_id:d}/tags/grouped"
        return self._peer.page(path, _GroupsSchema(), page, access_token=visitor.access_token)

    def search(self, visitor: Visitor, q: str) -> Found:
        """Return what the visitor may see of what a query can mean."""
        response = self._peer.get("/api/v1/search", access_token=visitor.access_token, params={"q": q})
        found: Found = self._peer.load(_FoundSchema(), response)
        return found

    def get_freshness(self, visitor: Visitor) -> Freshness:
        """Return how far the index follows the registry."""
        response = self._peer.get("/api/v1/freshness", access_token=visitor.access_token)
        freshness: Freshness = self._peer.load(_FreshnessSchema(), response)
        return freshness
