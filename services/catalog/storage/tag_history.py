"""What was ever written to tags."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
    update,
)

from services.catalog.domain.errands import OWN_EVENT_PREFIX
from services.catalog.domain.history import ANY_TAG, Kind, TagWrite
from services.catalog.domain.occurrences import SERVICE_ACCOUNT, Stamp
from services.catalog.storage.statements import insert_missing, select_listed
from services.catalog.storage.tables import tag_writes
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice
from shared.oci.names import Digest, Tag

MAX_WRITES = 1000
"""So many of a tag's writes are looked at, the newest."""

_C = tag_writes.c

WRITES = Listing(
    {
        "id": Listed(_C.id),
        "tag": Listed(_C.tag, prefix=True),
        "written_at": Listed(_C.written_at),
        "kind": Listed(_C.kind, choices=Kind),
        "digest": Listed(_C.digest, prefix=True),
        "actor": Listed(_C.actor),
    },
    order=Order("written_at", descending=True),
)
"""What a repository's history is sorted and narrowed by."""

PERIODS = Listing(
    {"id": Listed(_C.event), "since": Listed(_C.written_at)},
    order=Order("since", descending=True),
)
"""By what the periods of a tag are walked: the writes that began them."""


WriteKey = tuple[int, str, str]
"""Repository, tag and event's id of a write."""


@dataclass(frozen=True, slots=True)
class WriteRow:
    """A write as the API shows it."""

    id: int
    tag: str
    written_at: datetime
    kind: Kind
    digest: str | None
    actor: str | None


def add_writes(connection: Connection, writes: Mapping[int, Iterable[TagWrite]]) -> Collection[WriteKey]:
    """Keep writes, by repository; those that are known already stay as they are.

    What we did ourselves is told twice, by us and by the registry: it is kept once, at the later time.

    Returns:
        What of ours was known already.
    """
    told = [(repository, write) for repository in sorted(writes) for write in writes[repository]]
    own = dict[WriteKey, TagWrite]()
    for repository, write in told:
        key = (repository, write.tag, write.stamp.id)
        if write.stamp.is_own and (key not in own or own[key].stamp < write.stamp):
            own[key] = write
    known = _put_off(connection, own)
    rows = [_row(repository, write) for repository, write in told if not write.stamp.is_own]
    rows += [_row(key[0], write) for key, write in own.items() if key not in known]
    insert_missing(connection, tag_writes, rows)
    return known


def _put_off(connection: Connection, own: Mapping[WriteKey, TagWrite]) -> Collection[WriteKey]:
    """Give writes of ours that are known the later of their times; return which are known."""
    columns = (_C.repository_id, _C.tag, _C.event)
    found = {
        (row.repository_id, row.tag, row.event): row for row in select_listed(connection, tag_writes, columns, own)
    }
    later = [
        {"known": row.id, "later": own[key].stamp.time}
        for key, row in found.items()
        if row.written_at < own[key].stamp.time
    ]
    if later:
        moved = update(tag_writes).where(_C.id == bindparam("known")).values(written_at=bindparam("later"))
        connection.execute(moved, later)
    return found.keys()


def list_writes_of(
    connection: Connection, repository: int, tag: Tag, *, until: Stamp | None = None
) -> Sequence[TagWrite]:
    """Return the newest writes of a tag, and after them the deletions of the digests that it pointed at.

    Args:
        until: none that came after this one.
    """
    own = and_(_C.repository_id == repository, _C.tag == tag, _not_after(until))
    newest = select(tag_writes).where(own).order_by(_C.written_at.desc(), _C.event.desc()).limit(MAX_WRITES)
    writes = [_write(row) for row in connection.execute(newest)]
    digests = {write.digest for write in writes if write.digest}
    gone = select(tag_writes).where(
        _C.repository_id == repository, _C.tag == ANY_TAG, _C.digest.in_(digests), _not_after(until)
    )
    return [*writes, *(_write(row) for row in connection.execute(gone))]


def _not_after(until: Stamp | None) -> ColumnElement[bool]:
    if until is None:
        return true()
    end = tuple_(literal(until.time, _C.written_at.type), literal(until.id, _C.event.type))
    return tuple_(_C.written_at, _C.event) <= end


def list_writes(connection: Connection, repository: int, request: ListRequest) -> Slice[WriteRow]:
    """Return a part of what was written to a repository's tags."""
    query = select(*(_C[name] for name in WriteRow.__slots__)).where(
        _C.repository_id == repository, _C.tag != ANY_TAG, not_(_is_an_echo())
    )
    return fetch_slice(connection, query, WRITES, request, load=_shown)


def _is_an_echo() -> ColumnElement[bool]:
    """Return the condition that our own account pushed something for nobody, or for somebody who is named beside it."""
    told = tag_writes.alias().c
    same = and_(told.repository_id == _C.repository_id, told.tag == _C.tag, told.digest == _C.digest)
    beside = exists().where(same, told.event.startswith(OWN_EVENT_PREFIX), told.actor != SERVICE_ACCOUNT)
    is_bare = and_(_C.kind == Kind.PUSHED.value, func.coalesce(_C.actor, "") == SERVICE_ACCOUNT)
    return and_(is_bare, or_(_C.event.startswith(OWN_EVENT_PREFIX), beside))


def _shown(row: Row[Any]) -> WriteRow:
    return WriteRow(row.id, row.tag, row.written_at, Kind(row.kind), row.digest, row.actor)


def has_held(connection: Connection, repository: int, digest: Digest) -> bool:
    """Tell whether a tag of a repository has ever pointed at a digest, as far as is remembered."""
    query = select(_C.id).where(_C.repository_id == repository, _C.digest == digest, _C.kind.in_(_ARRIVALS)).limit(1)
    return connection.scalar(query) is not None


_ARRIVALS = (Kind.PUSHED.value, Kind.SEEN.value)


def purge_writes(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget what was over before a moment, at most ``limit`` writes of each kind; return how many.

    What a tag pointed at then is kept: it is where its later history begins.
    """
    # First what came before something else, then deletions before which nothing is left.
    purged = _purge(connection, _C.written_at < before, _has(later=True, before=before), limit)
    is_end = _C.kind.not_in(_ARRIVALS)
    return purged + _purge(connection, and_(_C.written_at < before, is_end), ~_has(later=False), limit)


def _has(*, later: bool, before: datetime | None = None) -> ColumnElement[bool]:
    """Return the condition that a tag has a write later than this one but before a moment, or an earlier one."""
    other = tag_writes.alias().c
    is_beyond = other.written_at > _C.written_at if later else other.written_at < _C.written_at
    if before is not None:
        is_beyond = and_(is_beyond, other.written_at < before)
    return exists().where(other.repository_id == _C.repository_id, other.tag == _C.tag, is_beyond, _C.tag != ANY_TAG)


def _purge(connection: Connection, is_old: ColumnElement[bool], condition: ColumnElement[bool], limit: int) -> int:
    old = select(_C.id).where(is_old, condition).limit(limit)
    return connection.execute(delete(tag_writes).where(_C.id.in_(old))).rowcount


def _row(repository: int, write: TagWrite) -> dict[str, Any]:
    return {
        "repository_id": repository,
        "tag": write.tag,
        "written_at": write.stamp.time,
        "event": write.stamp.id,
        "kind": write.kind.value,
        "digest": write.digest,
        "actor": write.actor,
    }


def _write(row: Row[Any]) -> TagWrite:
    digest = Digest(row.digest) if row.digest else None
    return TagWrite(Stamp(row.written_at, row.event), row.tag, Kind(row.kind), digest, row.actor)
