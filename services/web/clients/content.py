"""What the portal asks of `catalog` to change, compare and look back in a repository."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from marshmallow import fields, pre_load

from services.web.clients.peer import Part, Peer
from services.web.clients.schemas import Made, Moment, Text, Texts
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What a deletion would do."""

    method: str
    digest: str | None
    tags: Sequence[str]
    tags_count: int
    other_tags: Sequence[str]
    """Those on the same digest that stay."""
    indexes: Sequence[Mapping[str, Any]]
    referrers: Sequence[Mapping[str, Any]]
    referrer_tags: Sequence[str]
    """Those that are made of its digest and go with it."""
    untagged: Sequence[str]
    freed_bytes: int
    is_exact: bool
    is_looked_through: bool
    """Whether the registry is asked what else leads to it; else a tag goes alone."""


@dataclass(frozen=True, slots=True)
class TagOutcome:
    """What would become of a tag, or did."""

    tag: str
    plan: DeletionPlan | None
    method: str | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote under a repository."""

    id: int
    author: str
    body: str
    created_at: datetime | None
    updated_at: datetime | None
    destroyable: bool = False
    """By the visitor."""


@dataclass(frozen=True, slots=True)
class Write:
    """Something that happened to a tag."""

    tag: str
    kind: str
    digest: str | None
    actor: str | None
    written_at: datetime | None


@dataclass(frozen=True, slots=True)
class UntaggedEntry:
    """A manifest that no tag points at."""

    digest: str
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    pushed_at: datetime | None
    pushed_by: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that differs; ``None`` where it is missing."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class LayerRef:
    """A layer, and the command that made it."""

    digest: str
    size_bytes: int
    created_by: str | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    digest: str
    media_type: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two artifacts differ."""

    before: Side
    after: Side
    config: Sequence[Change]
    env: Sequence[Change]
    labels: Sequence[Change]
    annotations: Sequence[Change]
    platforms: Sequence[Change]
    layers_shared: Sequence[LayerRef]
    layers_added: Sequence[LayerRef]
    layers_removed: Sequence[LayerRef]


class _PlanSchema(Made):
    makes = DeletionPlan
    method = fields.String(required=True)
    digest = Text()
    tags, other_tags, untagged, referrer_tags = Texts(), Texts(), Texts(), Texts()
    tags_count = fields.Integer(load_default=0)
    indexes = fields.List(fields.Dict(), load_default=list)
    referrers = fields.List(fields.Dict(), load_default=list)
    freed_bytes = fields.Integer(load_default=0)
    is_exact = fields.Boolean(load_default=True)
    is_looked_through = fields.Boolean(load_default=True)


class _OutcomeSchema(Made):
    makes = TagOutcome
    tag = fields.String(required=True)
    plan = fields.Nested(_PlanSchema, allow_none=True, load_default=None)
    method, fault = Text(), Text()


class _CommentSchema(Made):
    makes = Comment
    id = fields.Integer(required=True)
    author = fields.String(required=True)
    body = fields.String(required=True)
    created_at, updated_at = Moment(), Moment()
    destroyable = fields.Boolean(load_default=False)

    @pre_load
    def flatten(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Take the name out of the author."""
        return {**data, "author": data["author"]["username"]}


class _WriteSchema(Made):
    makes = Write
    tag = fields.String(required=True)
    kind = fields.String(required=True)
    digest, actor = Text(), Text()
    written_at = Moment()


class _UntaggedSchema(Made):
    makes = UntaggedEntry
    digest = fields.String(required=True)
    media_type, artifact_type, pushed_by = Text(), Text(), Text()
    size_bytes = fields.Integer(allow_none=True, load_default=None)
    pushed_at = Moment()


class _ChangeSchema(Made):
    makes = Change
    name = fields.String(required=True)
    before = fields.Raw(allow_none=True, load_default=None)
    after = fields.Raw(allow_none=True, load_default=None)


class _PlatformChangeSchema(Made):
    makes = Change
    name = fields.String(required=True, data_key="platform")
    before, after = Text(), Text()


class _LayerSchema(Made):
    makes = LayerRef
    digest = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    created_by = Text()


class _SideSchema(Made):
    makes = Side
    digest = fields.String(required=True)
    media_type = Text()
    size_bytes = fields.Integer(allow_none=True, load_default=None)


def _many(schema: type[Made]) -> Any:
    return fields.List(fields.Nested(schema), load_default=list)


class _ComparisonSchema(Made):
    makes = Comparison
    before = fields.Nested(_SideSchema, required=True)
    after = fields.Nested(_SideSchema, required=True)
    config, env = _many(_ChangeSchema), _many(_ChangeSchema)
    labels, annotations = _many(_ChangeSchema), _many(_ChangeSchema)
    platforms = _many(_PlatformChangeSchema)
    layers_shared, layers_added = _many(_LayerSchema), _many(_LayerSchema)
    layers_removed = _many(_LayerSchema)


class ContentClient:
    """Asks `catalog` about what is in a repository, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def delete_tags(
        self,
        visitor: Visitor,
        repository: int,
        chosen: Mapping[str, str],
        *,
        dry_run: bool,
        keep_referrers: bool = False,
    ) -> Sequence[TagOutcome]:
        """Delete tags, each alone, or tell what that would do.

        Args:
            chosen: digests by tag; a tag that points elsewhere by now stays.
            keep_referrers: leave what is about an image that goes, under the tags that it has.

        Raises:
            NotAllowed: the visitor may not delete there.
        """
        tags = [{"name": name, "digest": digest} for name, digest in chosen.items()]
        path = f"/api/v1/repositories/{repository:d}/tags/deletions"
        body = {"tags": tags, "dry_run": dry_run, "with_referrers": not keep_referrers}
        response = self._peer.change("POST", path, body, access_token=visitor.access_token)
        outcomes: Sequence[TagOutcome] = self._peer.load(_OutcomeSchema(many=True), response)
        return outcomes

    def preview_repository(self, visitor: Visitor, repository: int) -> DeletionPlan:
        """Return what would go with a repository.

        Raises:
            NotAllowed: the visitor may not delete there.
        """
        path, params = f"/api/v1/repositories/{repository:d}", {"dry_run": "true"}
        response = self._peer.change("DELETE", path, access_token=visitor.access_token, params=params)
        plan: DeletionPlan = self._peer.load(_PlanSchema(), response)
        return plan

    def delete_repository(self, visitor: Visitor, repository: int) -> None:
        """Delete everything in a repository.

        Raises:
            RequestRefused: something is still there.
        """
        self._peer.change("DELETE", f"/api/v1/repositories/{repository:d}", access_token=visitor.access_token)

    def describe(self, visitor: Visitor, repository: int, description: str) -> None:
        """Change what a repository says about itself.

        Raises:
            RequestRefused: with what is wrong with it.
        """
        path = f"/api/v1/repositories/{repository:d}"
        self._peer.change("PUT", path, {"description": description}, access_token=visitor.access_token)

    def star(self, visitor: Visitor, repository: int, *, starred: bool) -> None:
        """Put a star on a repository, or take one's own away."""
        method = "PUT" if starred else "DELETE"
        self._peer.change(method, f"/api/v1/repositories/{repository:d}/star", access_token=visitor.access_token)

    def list_comments(self, visitor: Visitor, repository: int, page: PageRequest) -> Page[Comment]:
        """Return one page of what people wrote, newest first."""
        path, params = f"/api/v1/repositories/{repository:d}/comments", {"sort_attr": "id", "sort_order": "desc"}
        return self._peer.page(path, _CommentSchema(many=True), page, access_token=visitor.access_token, params=params)

    def add_comment(self, visitor: Visitor, repository: int, body: str) -> None:
        """Write something under a repository.

        Raises:
            RequestRefused: with what is wrong with it.
        """
        path = f"/api/v1/repositories/{repository:d}/comments"
        self._peer.change("POST", path, {"body": body}, access_token=visitor.access_token)

    def delete_comment(self, visitor: Visitor, repository: int, comment: int) -> None:
        """Take a comment away."""
        path = f"/api/v1/repositories/{repository:d}/comments/{comment:d}"
        self._peer.change("DELETE", path, access_token=visitor.access_token)

    def list_writes(self, visitor: Visitor, repository: int, after: str, *, tag: str = "") -> Part:
        """Return a part of what happened to a repository's tags, newest first."""
        path = f"/api/v1/repositories/{repository:d}/history"
        return self._part(visitor, path, _WriteSchema(many=True), after, {"tag_prefix": tag})

    def list_untagged(self, visitor: Visitor, repository: int, after: str) -> Part:
        """Return a part of the manifests that no tag points at."""
        path = f"/api/v1/repositories/{repository:d}/untagged"
        return self._part(visitor, path, _UntaggedSchema(many=True), after, {})

    def compare(self, visitor: Visitor, repository: int, before: str, after: str) -> Comparison:
        """Return how two artifacts differ, each a tag or a digest.

        Raises:
            NotFound: one of them is missing.
        """
        path = f"/api/v1/repositories/{repository:d}/manifests/{quote(before, safe=':')}/compare"
        response = self._peer.get(path, access_token=visitor.access_token, params={"with": after})
        comparison: Comparison = self._peer.load(_ComparisonSchema(), response)
        return comparison

    def _part(self, visitor: Visitor, path: str, schema: Made, after: str, params: Mapping[str, str]) -> Part:
        return self._peer.walk(path, schema, after, access_token=visitor.access_token, params=params)
