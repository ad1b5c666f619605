"""Which digests are scanned: those that a tag points at, and the images of an index that is scanned itself."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, literal, select, update

from services.catalog.domain.scans import ScanState
from services.catalog.storage.manifests import MAX_NESTING
from services.catalog.storage.scan_tables import findings, scans
from services.catalog.storage.scans import is_held, list_held
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import manifest_children, tags
from shared.oci.names import Digest

_C = scans.c


def enlist(connection: Connection, scanner: str, since: Iterable[tuple[Digest, datetime]]) -> None:
    """Have digests scanned that were not yet; of those that wait, the newest goes first.

    Args:
        since: each with when it was pushed.
    """
    rows = [
        {"scanner": scanner, "digest": digest, "state": ScanState.NONE.value, "tries": 0, "again": False, "due_at": at}
        for digest, at in sorted(since)
    ]
    insert_missing(connection, scans, rows)


def is_wanted(connection: Connection, scanner: str, digest: Digest) -> bool:
    """Tell whether a tag points at a digest, or an index lists it that is scanned itself."""
    return bool(connection.scalar(select(_C.id).where(_C.scanner == scanner, _C.digest == digest, _wanted())))


def will_be_wanted(connection: Connection, scanner: str, digest: Digest) -> bool:
    """Tell whether a digest of which there is no scan is going to have one."""
    child, index = manifest_children.c, scans.alias("listing_scans").c
    is_tagged = exists().where(tags.c.digest == digest, tags.c.present)
    by_tag = exists().where(tags.c.digest == child.parent_digest, tags.c.present)
    by_index = exists().where(index.digest == child.parent_digest, index.scanner == scanner)
    is_listed = exists().where(child.digest == digest, _may_run(), by_tag | by_index)
    return bool(connection.scalar(select(is_tagged | (is_listed & is_held(literal(digest))))))


def drop_unwanted(
    connection: Connection, scanner: str, *, after: Digest | None, limit: int
) -> tuple[Digest | None, int]:
    """Drop the results of what nothing leads to any more, within a part of all.

    Args:
        after: where the part begins.
        limit: how much of it is looked at.

    Returns:
        Where the next part begins, ``None`` at the end; and how many were dropped.
    """
    part = select(_C.digest).where(_C.scanner == scanner).order_by(_C.digest).limit(limit)
    looked_at = connection.scalars(part.where(_C.digest > after) if after else part).all()
    unwanted = select(_C.id).where(_C.scanner == scanner, _C.digest.in_(looked_at), ~_wanted())
    gone = connection.scalars(unwanted).all()
    dropped = drop_scans(connection, gone)
    return (Digest(looked_at[-1]) if len(looked_at) == limit else None), dropped


def drop_scans(connection: Connection, ids: Collection[int], *, run: str | None = None) -> int:
    """Forget scans with what they found, but for those that somebody writes just now; return how many.

    Args:
        run: whoever must hold them still.
    """
    # Whoever saves a report locks the scan before what it found: the other way round we would wait for each other.
    found = select(_C.id).where(_C.id.in_(ids)).order_by(_C.id).with_for_update(skip_locked=True)
    ours = connection.scalars(found.where(_C.run == run) if run else found).all()
    connection.execute(delete(findings).where(findings.c.scan_id.in_(ours)))
    connection.execute(delete(scans).where(_C.id.in_(ours)))
    return len(ours)


def list_unscanned(
    connection: Connection, scanner: str, *, after: int | None = None, limit: int
) -> tuple[dict[Digest, datetime], int | None]:
    """Return digests under tags that there is no scan of, each with its newest push; and where to go on.

    Args:
        after: look through tags behind this one, by id; ``None``: through those that were written last.
        limit: how many tags are looked through.
    """
    part = select(tags.c.id, tags.c.digest, tags.c.written_at).where(tags.c.present).limit(limit)
    walk = part.order_by(tags.c.written_at.desc(), tags.c.id.desc())
    if after is not None:
        walk = part.where(tags.c.id > after).order_by(tags.c.id)
    rows = connection.execute(walk).all()
    known = select(_C.digest).where(_C.scanner == scanner, _C.digest.in_({row.digest for row in rows}))
    scanned = set(connection.scalars(known))
    found: dict[Digest, datetime] = {}
    for row in sorted(rows, key=lambda row: row.written_at):
        if row.digest not in scanned:
            found[Digest(row.digest)] = row.written_at
    return found, (rows[-1].id if len(rows) == limit else None)


def ask_again(connection: Connection, scanner: str, digests: Collection[Digest] | None, *, now: datetime) -> int:
    """Have digests scanned anew, with the images that they list; return how many there are.

    Args:
        digests: ``None``: all.
    """
    idle = and_(_C.scanner == scanner, _C.state != ScanState.WORKING.value)
    if digests is not None:
        wanted = _with_parts(connection, digests)
        enlist(connection, scanner, [(digest, now) for digest in wanted])
        idle = and_(idle, _C.digest.in_(wanted))
    fresh = {"reason": None, "tries": 0, "stumbles": 0}
    anew = {"state": ScanState.NONE.value, "again": False, "due_at": now, **fresh}
    return connection.execute(update(scans).where(idle).values(anew)).rowcount


def wake_indexes(connection: Connection, scanner: str, digest: Digest, *, now: datetime) -> None:
    """Have those indexes put together anew that list an image of which something is new."""
    listing = select(manifest_children.c.parent_digest).where(manifest_children.c.digest == digest)
    connection.execute(update(scans).where(_C.scanner == scanner, _C.digest.in_(listing)).values(due_at=now))


def _with_parts(connection: Connection, digests: Collection[Digest]) -> set[Digest]:
    """Return digests together with the images that they list and that can be had; attestations are none."""
    found, level = set(digests), set(digests)
    child = manifest_children.c
    for _ in range(MAX_NESTING):
        query = select(child.digest).where(child.parent_digest.in_(level), _may_run())
        level = list_held(connection, set(connection.scalars(query)) - found)
        found |= level
    return found


def _wanted() -> ColumnElement[bool]:
    index = scans.alias("listing_scans")
    child = manifest_children.c
    tagged = exists().where(tags.c.digest == _C.digest, tags.c.present)
    listed = exists().where(
        child.digest == _C.digest,
        _may_run(),
        index.c.digest == child.parent_digest,
        index.c.scanner == _C.scanner,
    )
    return tagged | (listed & is_held(_C.digest))


def _may_run() -> ColumnElement[bool]:
    # As ``Descriptor.may_run``: a platform that says nothing is not kept.
    return ~manifest_children.c.is_attestation | manifest_children.c.os.is_not(None)
