"""What the portal asks of `catalog` about retention rules and tags that must not move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import fields

from services.web.clients.peer import Part, Peer
from services.web.clients.schemas import Made, Moment, Text, Texts
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Rule:
    """Which tags may go; ``namespace`` is ``None`` for the whole installation, empty for the global one."""

    id: int
    name: str
    namespace: str | None
    enabled: bool
    every_hours: int
    terms: Mapping[str, Any]
    created_by: str
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a rule."""

    id: int
    rule_id: int
    started_at: datetime | None
    finished_at: datetime | None
    repositories: int
    kept: int
    deleted: int
    failed: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a tag, or did to it."""

    repository: str
    tag: str
    reason: str
    goes: bool = True
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would do now."""

    repositories: int
    kept: int
    deleted: int
    verdicts: Sequence[Verdict]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Immutable:
    """Tags that must not move."""

    id: int
    namespace: str | None
    repositories: Sequence[str]
    tags: Sequence[str]
    restores: bool
    created_by: str


@dataclass(frozen=True, slots=True)
class Overwrite:
    """A tag that was moved though it must not."""

    id: int
    repository: str
    tag: str
    actor: str | None
    at: datetime | None
    state: str
    fault: str | None


class _RuleSchema(Made):
    makes = Rule
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    namespace = Text()
    enabled = fields.Boolean(required=True)
    every_hours = fields.Integer(required=True)
    terms = fields.Dict(required=True)
    created_by = fields.String(load_default="")
    next_run_at = Moment()


class _RunSchema(Made):
    makes = Run
    id = fields.Integer(required=True)
    rule_id = fields.Integer(required=True)
    started_at, finished_at = Moment(), Moment()
    repositories = fields.Integer(load_default=0)
    kept = fields.Integer(load_default=0)
    deleted = fields.Integer(load_default=0)
    failed = fields.Integer(load_default=0)
    fault = Text()


class _VerdictSchema(Made):
    makes = Verdict
    repository = fields.String(required=True)
    tag = fields.String(required=True)
    reason = fields.String(load_default="")
    goes = fields.Boolean(load_default=True)
    fault = Text()


class _PreviewSchema(Made):
    makes = Preview
    repositories = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    deleted = fields.Integer(required=True)
    verdicts = fields.List(fields.Nested(_VerdictSchema), required=True)
    is_whole = fields.Boolean(required=True)


class _ImmutableSchema(Made):
    makes = Immutable
    id = fields.Integer(required=True)
    namespace = Text()
    repositories, tags = Texts(), Texts()
    restores = fields.Boolean(load_default=False)
    created_by = fields.String(load_default="")


class _OverwriteSchema(Made):
    makes = Overwrite
    id = fields.Integer(required=True)
    repository = fields.String(required=True)
    tag = fields.String(required=True)
    actor, fault = Text(), Text()
    at = Moment()
    state = fields.String(load_default="reported")


class RetentionClient:
    """Asks `catalog`, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list_rules(self, visitor: Visitor, page: PageRequest) -> Page[Rule]:
        """Return one page of the rules, by name."""
        path, params = "/api/v1/retention/rules", {"sort_attr": "name"}
        return self._peer.page(path, _RuleSchema(many=True), page, access_token=visitor.access_token, params=params)

    def preview(self, visitor: Visitor, namespace: str | None, terms: Mapping[str, Any]) -> Preview:
        """Return what a rule would do now; nothing is deleted.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        body = {"namespace": namespace, "terms": terms}
        response = self._peer.change("POST", "/api/v1/retention/preview", body, access_token=visitor.access_token)
        preview: Preview = self._peer.load(_PreviewSchema(), response)
        return preview

    def add_rule(self, visitor: Visitor, values: Mapping[str, Any]) -> None:
        """Write a rule down.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("POST", "/api/v1/retention/rules", values, access_token=visitor.access_token)

    def change_rule(self, visitor: Visitor, rule: int, values: Mapping[str, Any]) -> None:
        """Change a rule.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("PUT", f"/api/v1/retention/rules/{rule:d}", values, access_token=visitor.access_token)

    def delete_rule(self, visitor: Visitor, rule: int) -> None:
        """Take a rule away, with the reports of its runs.

        Raises:
            RequestRefused: the environment has made it.
        """
        self._peer.change("DELETE", f"/api/v1/retention/rules/{rule:d}", access_token=visitor.access_token)

    def run(self, visitor: Visitor, rule: int) -> None:
        """Ask for a run."""
        self._peer.change("POST", f"/api/v1/retention/rules/{rule:d}/runs", access_token=visitor.access_token)

    def list_runs(self, visitor: Visitor, page: PageRequest) -> Page[Run]:
        """Return one page of the runs, newest first."""
        path = "/api/v1/retention/runs"
        return self._peer.page(path, _RunSchema(many=True), page, access_token=visitor.access_token)

    def list_outcomes(self, visitor: Visitor, run: int, after: str) -> Part:
        """Return a part of what a run did."""
        path = f"/api/v1/retention/runs/{run:d}/outcomes"
        return self._peer.walk(path, _VerdictSchema(many=True), after, access_token=visitor.access_token)

    def list_immutable(self, visitor: Visitor, page: PageRequest) -> Page[Immutable]:
        """Return one page of the rules for tags that must not move."""
        path = "/api/v1/immutable-tags"
        return self._peer.page(path, _ImmutableSchema(many=True), page, access_token=visitor.access_token)

    def add_immutable(self, visitor: Visitor, values: Mapping[str, Any]) -> None:
        """Forbid tags to move.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("POST", "/api/v1/immutable-tags", values, access_token=visitor.access_token)

    def delete_immutable(self, visitor: Visitor, rule: int) -> None:
        """Let tags move again."""
        self._peer.change("DELETE", f"/api/v1/immutable-tags/{rule:d}", access_token=visitor.access_token)

    def list_overwrites(self, visitor: Visitor, after: str) -> Part:
        """Return a part of the tags that were moved though they must not, newest first."""
        params = {"sort_attr": "id", "sort_order": "desc"}
        path, schema = "/api/v1/overwrites", _OverwriteSchema(many=True)
        return self._peer.walk(path, schema, after, access_token=visitor.access_token, params=params)

    def retry_overwrite(self, visitor: Visitor, overwrite: int) -> None:
        """Have it tried again to put a tag back."""
        self._peer.change("POST", f"/api/v1/overwrites/{overwrite:d}/retry", access_token=visitor.access_token)
