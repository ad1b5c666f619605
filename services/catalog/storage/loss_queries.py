"""Loss windows as people see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from services.catalog.domain.losses import Reason
from services.catalog.storage.loss_tables import loss_window_repositories as concerned
from services.catalog.storage.loss_tables import loss_windows as table
from services.catalog.storage.loss_windows import MAX_REPOSITORIES
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part

LOSS_WINDOWS = Listing(
    {
        "id": Listed(table.c.id),
        "registry": Listed(table.c.registry),
        "reason": Listed(table.c.reason, choices=Reason),
        "open": Listed(table.c.closed_at.is_(None)),
        "opened_at": Listed(table.c.opened_at),
        "closed_at": Listed(table.c.closed_at),
        "repaired": Listed(table.c.repaired),
    },
    order=Order("id", descending=True),
)
"""What the list of loss windows is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class LossWindow:
    """A time in which events may have been lost."""

    id: int
    registry: str
    reason: str
    opened_at: datetime
    since: datetime
    until: datetime
    everything: bool
    """Whether they may have been about any repository."""
    causes: int
    missing: int
    attempts: int
    crawl_started_at: datetime | None
    closed_at: datetime | None
    repaired: int
    left_open: int
    """Differences that were found and are left to people, or to later rounds."""
    repositories_count: int
    """How many repositories are concerned, unless all are."""

    @property
    def open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class WholeLossWindow(LossWindow):
    """A loss window with the repositories that it concerns."""

    repositories: Sequence[str]
    """By name, at most ``MAX_REPOSITORIES``."""


@dataclass(frozen=True, slots=True)
class OpenLosses:
    """How many windows are open, and since when."""

    count: int
    since: datetime | None
    """When the first event may have happened that is not in the index."""
    reasons: Sequence[str]


def list_windows(connection: Connection, asked: ListRequest) -> Page[LossWindow] | Slice[LossWindow]:
    """Return a part of the windows."""
    query = select(*_columns())
    return fetch_part(connection, query, LOSS_WINDOWS, asked, load=lambda row: LossWindow(*tuple(row)))


def find_window(connection: Connection, window: int) -> WholeLossWindow | None:
    """Return a window with its repositories."""
    row = connection.execute(select(*_columns()).where(table.c.id == window)).one_or_none()
    if row is None:
        return None
    names = select(concerned.c.repository).where(concerned.c.window_id == window).order_by(concerned.c.repository)
    fields = {**row._mapping, "repositories": connection.scalars(names.limit(MAX_REPOSITORIES)).all()}
    return WholeLossWindow(**fields)


def summarize_open(connection: Connection) -> OpenLosses:
    """Tell of the windows that are open."""
    is_open = table.c.closed_at.is_(None)
    count, since = connection.execute(select(func.count(), func.min(table.c.since)).where(is_open)).one()
    reasons = connection.scalars(select(table.c.reason).where(is_open).distinct().order_by(table.c.reason)).all()
    return OpenLosses(count, since, reasons)


def count_open(connection: Connection) -> dict[str, int]:
    """Return how many windows are open, by reason."""
    query = select(table.c.reason, func.count().label("windows")).where(table.c.closed_at.is_(None))
    return {row.reason: row.windows for row in connection.execute(query.group_by(table.c.reason))}


def _columns() -> list[ColumnElement[Any]]:
    own = (table.c[name] for name in LossWindow.__slots__ if name != "repositories_count")
    count = select(func.count()).select_from(concerned).where(concerned.c.window_id == table.c.id).scalar_subquery()
    return [*own, count.label("repositories_count")]
