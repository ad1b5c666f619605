"""Loss windows: opened, widened, worked off, closed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from services.catalog.domain.losses import Suspicion
from services.catalog.storage.loss_tables import loss_window_repositories as concerned
from services.catalog.storage.loss_tables import loss_windows as table
from services.catalog.storage.statements import upsert
from services.catalog.storage.tables import crawls
from shared.oci.names import RepositoryName

SETTLES_WITHIN = timedelta(seconds=10)
"""A crawl waits for so long after the last suspicion: a rolling restart is one loss and not many."""
LONGEST_SETTLING = timedelta(minutes=2)
"""And no longer than this after the first."""
PAUSE = timedelta(minutes=1)
"""Between two crawls because of losses, however often a registry restarts."""
MAX_REPOSITORIES = 1000
"""A window that concerns more than these concerns them all."""


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that is to be worked off."""

    id: int
    opened_at: datetime
    since: datetime
    until: datetime
    everything: bool
    attempts: int
    reason: str
    registry: str


def open_window(connection: Connection, suspicion: Suspicion, *, now: datetime) -> int:
    """Open a window, or widen one that no crawl is working off; return its id."""
    mine = (table.c.registry == suspicion.registry) & (table.c.reason == suspicion.reason.value)
    waiting = mine & table.c.closed_at.is_(None) & table.c.crawl_started_at.is_(None)
    # A crawl of everything closes what was opened before it, and may have read by now what is lost since.
    begun_at = connection.scalar(select(func.max(crawls.c.started_at)))
    if begun_at:
        waiting &= table.c.opened_at > begun_at
    query = select(table.c.id, table.c.opened_at, table.c.since, table.c.until).where(waiting)
    row = connection.execute(query.order_by(table.c.id).limit(1).with_for_update()).one_or_none()
    if row is None:
        window = _insert(connection, suspicion, now)
    else:
        window = int(row.id)
        changes = {
            "since": min(row.since, suspicion.since),
            "until": max(row.until, suspicion.until),
            "everything": table.c.everything | (suspicion.repositories is None),
            "causes": table.c.causes + 1,
            "missing": table.c.missing + suspicion.missing,
        }
        connection.execute(update(table).where(table.c.id == window).values(changes))
        _settle(connection, window, min(now + SETTLES_WITHIN, row.opened_at + LONGEST_SETTLING))
    if suspicion.repositories is not None:
        concern(connection, window, suspicion.repositories)
    return window


def concern(connection: Connection, window: int, repositories: Collection[RepositoryName]) -> None:
    """Add repositories to a window, to be read again if they have been; with too many it concerns all."""
    rows = [{"window_id": window, "repository": name, "crawled_at": None} for name in sorted(repositories)]
    upsert(connection, concerned, rows)
    count = connection.execute(
        select(func.count()).select_from(concerned).where(concerned.c.window_id == window)
    ).scalar_one()
    if count > MAX_REPOSITORIES:
        connection.execute(update(table).where(table.c.id == window).values(everything=True))


def narrow(connection: Connection, window: int, repositories: Collection[RepositoryName]) -> None:
    """Let a window concern some repositories instead of all."""
    connection.execute(update(table).where(table.c.id == window).values(everything=False))
    concern(connection, window, repositories)


def begin_due(connection: Connection, *, now: datetime) -> OpenWindow | None:
    """Return the oldest window whose time has come, from now on not to be widened; ``None``: there is none."""
    due = table.c.closed_at.is_(None) & (table.c.due_at <= now)
    query = select(table.c.id).where(due).order_by(table.c.due_at, table.c.id).limit(1)
    window = connection.scalar(query)
    if window is None:
        return None
    connection.execute(update(table).where(table.c.id == window).values(crawl_started_at=now))
    return find_open(connection, window)


def find_open(connection: Connection, window: int) -> OpenWindow | None:
    """Return a window that is open."""
    columns = (table.c[name] for name in OpenWindow.__slots__)
    row = connection.execute(select(*columns).where(table.c.id == window, table.c.closed_at.is_(None))).one_or_none()
    return OpenWindow(*row) if row else None


def list_uncrawled(connection: Connection, window: int, *, after: str, limit: int) -> Sequence[RepositoryName]:
    """Return repositories of a window that are still to be read, behind a name."""
    waiting = (concerned.c.window_id == window) & concerned.c.crawled_at.is_(None)
    query = select(concerned.c.repository).where(waiting, concerned.c.repository > after)
    return [RepositoryName(name) for name in connection.scalars(query.order_by(concerned.c.repository).limit(limit))]


def note_crawled(
    connection: Connection,
    window: int,
    repositories: Collection[RepositoryName],
    *,
    repaired: int,
    left_open: int,
    now: datetime,
) -> None:
    """Note repositories of a window that were read, how many tags that put right, and how many it left."""
    done = (concerned.c.window_id == window) & concerned.c.repository.in_(repositories)
    connection.execute(update(concerned).where(done).values(crawled_at=now))
    counts = {"repaired": table.c.repaired + repaired, "left_open": table.c.left_open + left_open}
    connection.execute(update(table).where(table.c.id == window).values(counts))


def postpone(connection: Connection, window: int, *, until: datetime) -> None:
    """Let a window wait whose crawl has failed; until then it may be widened again."""
    values = {"due_at": until, "attempts": table.c.attempts + 1, "crawl_started_at": None}
    connection.execute(update(table).where(table.c.id == window).values(values))


def close(connection: Connection, window: int, *, now: datetime) -> None:
    """Close a window."""
    connection.execute(update(table).where(table.c.id == window).values(closed_at=now))


def close_covered(connection: Connection, *, started_at: datetime, repaired: int, left_open: int, now: datetime) -> int:
    """Close every window that was opened before a crawl of the whole registry began, and return how many.

    Args:
        started_at: of the crawl.
        repaired: tags that it put right.
        left_open: tags that differ still.
    """
    covered = table.c.closed_at.is_(None) & (table.c.opened_at <= started_at)
    values = {
        "closed_at": now,
        "repaired": table.c.repaired + repaired,
        "left_open": table.c.left_open + left_open,
        "crawl_started_at": started_at,
    }
    return connection.execute(update(table).where(covered).values(values)).rowcount


def purge_windows(connection: Connection, *, before: datetime, limit: int = 1000) -> int:
    """Forget windows that were closed before a moment, at most ``limit``, and return how many."""
    old = connection.scalars(select(table.c.id).where(table.c.closed_at < before).limit(limit)).all()
    connection.execute(delete(concerned).where(concerned.c.window_id.in_(old)))
    return connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def _insert(connection: Connection, suspicion: Suspicion, now: datetime) -> int:
    last_closed = connection.scalar(select(func.max(table.c.closed_at)))
    due_at = max(now + SETTLES_WITHIN, last_closed + PAUSE) if last_closed else now + SETTLES_WITHIN
    values = {
        "registry": suspicion.registry,
        "reason": suspicion.reason.value,
        "opened_at": now,
        "since": suspicion.since,
        "until": suspicion.until,
        "everything": suspicion.repositories is None,
        "causes": 1,
        "missing": suspicion.missing,
        "due_at": due_at,
        "attempts": 0,
        "repaired": 0,
    }
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def _settle(connection: Connection, window: int, until: datetime) -> None:
    sooner = (table.c.id == window) & (table.c.due_at < until)
    connection.execute(update(table).where(sooner).values(due_at=until))
