"""What the portal asks of `catalog` and `notifier` about how the index follows the registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from marshmallow import fields

from services.web.clients.peer import Part, Peer
from services.web.clients.schemas import Made, Moment, Text
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Crawl:
    """A walk through the registry."""

    id: int
    kind: str
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    repositories: int
    tags: int
    drift: int
    repaired: int
    removed: int
    failures: int
    fault: str | None
    requested_by: str | None


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference between index and registry."""

    id: int
    kind: str
    cause_text: str
    remedy: str
    repository: str
    tag: str
    namespace: str | None
    state: str
    first_seen_at: datetime | None
    rounds: int


@dataclass(frozen=True, slots=True)
class LossWindow:
    """A time in which events may have been lost."""

    id: int
    registry: str
    reason: str
    since: datetime | None
    until: datetime | None
    open: bool
    missing: int
    repaired: int
    left_open: int
    repositories_count: int
    everything: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that could not be handled, or an event that could not be read."""

    id: int
    reason: str
    at: datetime | None
    queue: str = ""
    subject: str | None = None
    type: str | None = None
    deaths: int = 0
    event_id: str = ""


class _CrawlSchema(Made):
    makes = Crawl
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    started_at, finished_at = Moment(), Moment()
    duration_s = fields.Float(allow_none=True, load_default=None)
    repositories = fields.Integer(load_default=0)
    tags = fields.Integer(load_default=0)
    drift = fields.Integer(load_default=0)
    repaired = fields.Integer(load_default=0)
    removed = fields.Integer(load_default=0)
    failures = fields.Integer(load_default=0)
    fault, requested_by = Text(), Text()


class _DriftSchema(Made):
    makes = Drift
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    cause_text = fields.String(load_default="")
    remedy = fields.String(load_default="")
    repository = fields.String(load_default="")
    tag = fields.String(load_default="")
    namespace = Text()
    state = fields.String(load_default="open")
    first_seen_at = Moment()
    rounds = fields.Integer(load_default=0)


class _WindowSchema(Made):
    makes = LossWindow
    id = fields.Integer(required=True)
    registry = fields.String(load_default="")
    reason = fields.String(required=True)
    since, until = Moment(), Moment()
    open = fields.Boolean(required=True)
    missing = fields.Integer(load_default=0)
    repaired = fields.Integer(load_default=0)
    left_open = fields.Integer(load_default=0)
    repositories_count = fields.Integer(load_default=0)
    everything = fields.Boolean(load_default=False)


class _LetterSchema(Made):
    makes = Letter
    id = fields.Integer(required=True)
    reason = fields.String(required=True)
    at = Moment(data_key="died_at")
    queue = fields.String(load_default="")
    subject, type = Text(), Text()
    deaths = fields.Integer(load_default=0)


class _QuarantinedSchema(Made):
    makes = Letter
    id = fields.Integer(required=True)
    reason = fields.String(required=True)
    at = Moment(data_key="received_at")
    event_id = fields.String(load_default="")


class SyncClient:
    """Asks `catalog` and `notifier`, as the visitor.

    Args:
        catalog: crawls, drift, loss windows.
        notifier: dead letters and quarantine.
    """

    def __init__(self, catalog: Peer, notifier: Peer) -> None:
        self._catalog = catalog
        self._notifier = notifier

    def list_crawls(self, visitor: Visitor, page: PageRequest) -> Page[Crawl]:
        """Return one page of the crawls, newest first."""
        params = {"sort_attr": "id", "sort_order": "desc"}
        path, schema = "/api/v1/crawls", _CrawlSchema(many=True)
        return self._catalog.page(path, schema, page, access_token=visitor.access_token, params=params)

    def start_crawl(self, visitor: Visitor, kind: str) -> None:
        """Ask for a crawl.

        Raises:
            RequestRefused: one is under way.
        """
        self._catalog.change("POST", "/api/v1/crawls", {"kind": kind}, access_token=visitor.access_token)

    def list_drift(self, visitor: Visitor, after: str, filters: Mapping[str, str]) -> Part:
        """Return a part of the differences, newest first."""
        params = {**filters, "sort_attr": "id", "sort_order": "desc"}
        path, schema = "/api/v1/drift", _DriftSchema(many=True)
        return self._catalog.walk(path, schema, after, access_token=visitor.access_token, params=params)

    def list_windows(self, visitor: Visitor, page: PageRequest) -> Page[LossWindow]:
        """Return one page of the loss windows, newest first."""
        params = {"sort_attr": "id", "sort_order": "desc"}
        path, schema = "/api/v1/loss-windows", _WindowSchema(many=True)
        return self._catalog.page(path, schema, page, access_token=visitor.access_token, params=params)

    def count_open_windows(self, visitor: Visitor) -> int:
        """Return how many loss windows are open."""
        path, schema, params = "/api/v1/loss-windows", _WindowSchema(many=True), {"open": "true"}
        page: Page[LossWindow] = self._catalog.page(
            path, schema, PageRequest(per_page=1), access_token=visitor.access_token, params=params
        )
        return page.total

    def list_letters(self, visitor: Visitor, page: PageRequest) -> Page[Letter]:
        """Return one page of the dead letters, newest first."""
        return self._letters(visitor, "dead-letters", _LetterSchema(many=True), page)

    def list_quarantine(self, visitor: Visitor, page: PageRequest) -> Page[Letter]:
        """Return one page of the events that could not be read, newest first."""
        return self._letters(visitor, "quarantine", _QuarantinedSchema(many=True), page)

    def replay(self, visitor: Visitor, box: str, letter: int) -> None:
        """Send a letter again, or read an event again.

        Args:
            box: ``dead-letters`` or ``quarantine``.

        Raises:
            RequestRefused: it is still not readable.
        """
        self._notifier.change("POST", f"/api/v1/{box}/{letter:d}/replay", access_token=visitor.access_token)

    def drop(self, visitor: Visitor, box: str, letter: int) -> None:
        """Throw a letter or an event away."""
        self._notifier.change("DELETE", f"/api/v1/{box}/{letter:d}", access_token=visitor.access_token)

    def replay_all(self, visitor: Visitor, box: str, expect: int) -> None:
        """Send all of a box again.

        Args:
            expect: how many the visitor has seen; nothing is done when there are others.

        Raises:
            RequestRefused: there are more or fewer by now.
        """
        body = {"expect": expect}
        self._notifier.change("POST", f"/api/v1/{box}/replay", body, access_token=visitor.access_token)

    def _letters(self, visitor: Visitor, box: str, schema: Made, page: PageRequest) -> Page[Letter]:
        params = {"sort_attr": "id", "sort_order": "desc"}
        return self._notifier.page(f"/api/v1/{box}", schema, page, access_token=visitor.access_token, params=params)
