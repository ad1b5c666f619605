"""Differences between index and registry: filed by rounds, read by people."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, or_, select, true, update

from services.catalog.domain.drift import (
    PUT_RIGHT,
    SEEN_BY_DIGEST,
    Cause,
    Finding,
    Kind,
    Report,
    State,
    probable_cause,
)
from services.catalog.domain.history import Kind as WriteKind
from services.catalog.storage.loss_tables import loss_window_repositories, loss_windows
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import crawls, repositories, repository_rounds, tag_writes
from services.catalog.storage.tables import drift as table
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice
from shared.oci.names import RepositoryName, Tag

_C = table.c

DRIFT = Listing(
    {
        "id": Listed(_C.id),
        "kind": Listed(_C.kind, choices=Kind, sortable=False),
        "state": Listed(_C.state, choices=State, sortable=False),
        "cause": Listed(_C.cause, choices=Cause, sortable=False),
        "namespace": Listed(_C.namespace, sortable=False),
        "repository": Listed(_C.repository, prefix=True, sortable=False),
        "tag": Listed(_C.tag, sortable=False),
        "crawl_id": Listed(_C.crawl_id, sortable=False),
        "first_seen_at": Listed(_C.first_seen_at, sortable=False),
        "last_seen_at": Listed(_C.last_seen_at, sortable=False),
        "closed_at": Listed(_C.closed_at, sortable=False),
    },
    order=Order("id", descending=True),
)
"""What the drift report is narrowed by."""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A difference as the API shows it."""

    id: int
    kind: Kind
    namespace: str | None
    repository: str
    tag: str
    indexed_digest: str | None
    found_digest: str | None
    cause: Cause
    state: State
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    rounds: int
    crawl_id: int | None


def file_findings(
    connection: Connection, findings: Sequence[Finding], *, crawl: int | None, now: datetime
) -> Sequence[Tag]:
    """Write down what a look at one repository, or at the namespaces, found.

    Args:
        crawl: that has looked; ``None``: something was read after a loss.

    Returns:
        The tags among them that an earlier crawl did not find in the registry either.
    """
    known = _open_rows(connection, {_place(finding) for finding in findings})
    lost = _events_lost(connection, {finding.repository for finding in findings if finding.repository})
    rows = [(finding, known.get((_place(finding), finding.kind, finding.tag or ""))) for finding in findings]
    insert_missing(connection, table, [_values(finding, lost, crawl, now) for finding, row in rows if row is None])
    again = [(finding, row) for finding, row in rows if row and (crawl is None or row.crawl_id != crawl)]
    seen = {"last_seen_at": now} if crawl is None else {"last_seen_at": now, "crawl_id": crawl, "rounds": _C.rounds + 1}
    connection.execute(update(table).where(_C.id.in_([row.id for _, row in again])).values(seen))
    # What was found after a loss is for two crawls to find.
    twice = [finding for finding, row in again if crawl is not None and row.crawl_id is not None]
    return [finding.tag for finding in twice if finding.kind is Kind.PHANTOM_TAG and finding.tag]


def file_repairs(connection: Connection, repairs: Sequence[tuple[Report, Finding]], *, now: datetime) -> None:
    """Write down what was put right; best in the transaction in which it is, and as its last statement.

    Args:
        repairs: where it is told, and a difference that no longer is one.
    """
    if repairs:
        lost = _events_lost(connection, {repair.repository for _, repair in repairs if repair.repository})
        insert_missing(connection, table, [_values(repair, lost, report.crawl, now) for report, repair in repairs])


def close_removed(connection: Connection, repository: RepositoryName, tags: Collection[Tag], *, now: datetime) -> None:
    """Note that the index has let go of phantom tags."""
    mine = and_(_C.repository == repository, _C.tag.in_(tags), _C.kind == Kind.PHANTOM_TAG, _is_open())
    connection.execute(update(table).where(mine).values(state=State.REMOVED.value, closed_at=now))


def close_resolved(
    connection: Connection,
    crawl: int,
    *,
    started_at: datetime,
    unread: Collection[RepositoryName],
    unasked: Collection[Kind],
    now: datetime,
) -> int:
    """Close the differences that a crawl has not found any more, and return how many.

    Args:
        started_at: of the crawl; what was found since then is left for the next.
        unread: repositories of which it does not know.
        unasked: kinds of which it does not know.
    """
    verified = (
        select(repositories.c.full_name)
        .join_from(repositories, repository_rounds)
        .where(repository_rounds.c.verified_at >= started_at)
        .scalar_subquery()
    )
    was_looked_for = or_(_C.kind.not_in([kind.value for kind in SEEN_BY_DIGEST]), _C.repository.in_(verified))
    known = and_(_C.repository.not_in(unread), _C.kind.not_in([kind.value for kind in unasked]))
    # What is read after a loss meanwhile finds what has come after the crawl has been there.
    is_older = and_(_C.crawl_id.is_distinct_from(crawl), _C.last_seen_at < started_at)
    gone = and_(_is_open(), is_older, known, was_looked_for)
    done = {"state": State.RESOLVED.value, "closed_at": now}
    return connection.execute(update(table).where(gone).values(done)).rowcount


def drop_explained(connection: Connection, *, after: datetime) -> int:
    """Forget repairs of tags of whose push was told after all: the round was only faster than the event.

    Args:
        after: repairs since then.
    """
    told = exists().where(
        tag_writes.c.repository_id == repositories.c.id,
        tag_writes.c.tag == _C.tag,
        tag_writes.c.digest == _C.found_digest,
        tag_writes.c.kind == WriteKind.PUSHED.value,
    )
    repaired = and_(_C.state == State.REPAIRED.value, _C.closed_at >= after)
    early = (
        select(_C.id).join_from(table, repositories, repositories.c.full_name == _C.repository).where(repaired, told)
    )
    return connection.execute(delete(table).where(_C.id.in_(early))).rowcount


def purge_drift(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget differences that were over before a moment, at most ``limit``; return how many."""
    old = select(_C.id).where(_C.closed_at < before).limit(limit)
    return connection.execute(delete(table).where(_C.id.in_(old))).rowcount


def list_drift(connection: Connection, asked: ListRequest) -> Slice[DriftRow]:
    """Return a part of the report."""
    return fetch_slice(connection, select(*(_C[name] for name in DriftRow.__slots__)), DRIFT, asked, load=_load)


def find_dangling(connection: Connection, names: Collection[str], tags: Collection[str]) -> Collection[tuple[str, str]]:
    """Return those tags of some repositories that the registry lists without a manifest."""
    dangling = and_(_C.repository.in_(names), _C.tag.in_(tags), _C.kind == Kind.DANGLING_TAG.value, _is_open())
    return {(row.repository, row.tag) for row in connection.execute(select(_C.repository, _C.tag).where(dangling))}


def list_open_namespaces(connection: Connection) -> Sequence[str]:
    """Return the namespaces that nobody has made, by name."""
    orphaned = and_(_C.kind == Kind.ORPHAN_NAMESPACE.value, _is_open())
    return connection.scalars(select(_C.namespace).where(orphaned).order_by(_C.namespace)).all()


def count_drift(connection: Connection, crawl: int) -> Mapping[Kind, int]:
    """Return how many differences a crawl found last, by kind."""
    query = select(_C.kind, func.count()).where(_C.crawl_id == crawl).group_by(_C.kind)
    return {Kind(kind): number for kind, number in connection.execute(query)}


def count_open_drift(connection: Connection) -> Mapping[str, int]:
    """Return how many differences are open, by kind."""
    query = select(_C.kind, func.count().label("number")).where(_is_open()).group_by(_C.kind)
    return {str(row.kind): int(row.number) for row in connection.execute(query)}


def _open_rows(connection: Connection, places: Collection[str]) -> dict[tuple[str, str, str], Any]:
    query = select(_C.id, _C.kind, _C.namespace, _C.repository, _C.tag, _C.crawl_id)
    rows = connection.execute(query.where(or_(_C.repository.in_(places), _namespaces(places)), _is_open()))
    return {(row.repository or row.namespace, row.kind, row.tag): row for row in rows}


def _namespaces(places: Collection[str]) -> ColumnElement[bool]:
    return and_(_C.repository == "", _C.namespace.in_(places))


def _events_lost(connection: Connection, names: Collection[RepositoryName]) -> Collection[str]:
    """Return those repositories events about which may have been lost since the last crawl but one."""
    ended = select(crawls.c.finished_at).where(crawls.c.finished_at.is_not(None)).order_by(crawls.c.id.desc())
    since = connection.scalar(ended.offset(1).limit(1))
    recent: ColumnElement[bool] = true()
    if since is not None:
        recent = or_(loss_windows.c.closed_at.is_(None), loss_windows.c.closed_at >= since)
    if connection.scalar(select(loss_windows.c.id).where(recent, loss_windows.c.everything).limit(1)):
        return names
    concerned = loss_window_repositories.c
    query = select(concerned.repository).join_from(loss_window_repositories, loss_windows).where(recent)
    return set(connection.scalars(query.where(concerned.repository.in_(names))))


def _values(finding: Finding, lost: Collection[str], crawl: int | None, now: datetime) -> dict[str, Any]:
    repaired = finding.kind in PUT_RIGHT
    cause = probable_cause(finding.kind, events_lost=finding.repository in lost)
    return {
        "kind": finding.kind.value,
        "namespace": finding.namespace,
        "repository": finding.repository or "",
        "tag": finding.tag or "",
        "indexed_digest": finding.indexed,
        "found_digest": finding.found,
        "cause": cause.value,
        "state": (State.REPAIRED if repaired else State.OPEN).value,
        "first_seen_at": now,
        "last_seen_at": now,
        "closed_at": now if repaired else None,
        "rounds": 1,
        "crawl_id": crawl,
    }


def _place(finding: Finding) -> str:
    return finding.repository or finding.namespace or ""


def _is_open() -> ColumnElement[bool]:
    return _C.state == State.OPEN.value


def _load(row: Row[Any]) -> DriftRow:
    fields = {**row._mapping, "kind": Kind(row.kind), "cause": Cause(row.cause), "state": State(row.state)}
    return DriftRow(**fields)
