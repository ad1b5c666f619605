"""What the portal asks of `catalog` for the first page: what happened lately, and how much lies where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from marshmallow import fields, pre_load

from services.web.clients.peer import Peer
from services.web.clients.schemas import Made, Moment, Text
from services.web.clients.sessions import Visitor


@dataclass(frozen=True, slots=True)
class Day:
    """How often was pushed and pulled on a day."""

    day: date
    pushes: int
    pulls: int


@dataclass(frozen=True, slots=True)
class Stock:
    """How much lies in a namespace; ``None``: in the global one."""

    namespace: str | None
    repositories: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LatestPush:
    """A tag that was pushed lately."""

    repository: str
    tag: str
    pushed_at: datetime | None
    pushed_by: str | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What happened lately in what the visitor may see, and how much it is."""

    days: Sequence[Day]
    namespaces: Sequence[Stock]
    latest: Sequence[LatestPush]
    repositories: int
    tags: int
    size_bytes: int
    pulls: int


class _DaySchema(Made):
    makes = Day
    day = fields.Date(required=True)
    pushes = fields.Integer(load_default=0)
    pulls = fields.Integer(load_default=0)


class _DaysSchema(Made):
    makes = dict
    days = fields.List(fields.Nested(_DaySchema), required=True)


class _StockSchema(Made):
    makes = Stock
    namespace = Text()
    repositories = fields.Integer(load_default=0)
    size_bytes = fields.Integer(load_default=0)


class _LatestSchema(Made):
    makes = LatestPush
    repository = fields.String(required=True)
    tag = fields.String(required=True)
    pushed_at = Moment()
    pushed_by = Text()


class _StatisticsSchema(Made):
    makes = Statistics
    days = fields.List(fields.Nested(_DaySchema), load_default=list)
    namespaces = fields.List(fields.Nested(_StockSchema), load_default=list)
    latest = fields.List(fields.Nested(_LatestSchema), load_default=list)
    repositories = fields.Integer(load_default=0)
    tags = fields.Integer(load_default=0)
    size_bytes = fields.Integer(load_default=0)
    pulls = fields.Integer(load_default=0)

    @pre_load
    def flatten(self, data: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Bring the totals to one level with the rest."""
        return {**data, **(data.get("totals") or {})}


class StatisticsClient:
    """Asks `catalog`, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def get(self, visitor: Visitor, *, days: int) -> Statistics:
        """Return what happened in the last days."""
        response = self._peer.get("/api/v1/statistics", access_token=visitor.access_token, params={"days": days})
        found: Statistics = self._peer.load(_StatisticsSchema(), response)
        return found

    def list_days(self, visitor: Visitor, repository: int, *, days: int) -> Sequence[Day]:
        """Return what happened in a repository in the last days, the oldest first."""
        path = f"/api/v1/repositories/{repository:d}/statistics"
        response = self._peer.get(path, access_token=visitor.access_token, params={"days": days})
        found: Sequence[Day] = self._peer.load(_DaysSchema(), response)["days"]
        return found
