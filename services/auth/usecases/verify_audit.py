"""Prove that nobody has changed the audit trail behind Portus' back."""

from collections.abc import Iterator

from sqlalchemy import Connection

from services.auth.domain.audit_chain import GENESIS, Entry, Head
from services.auth.domain.audit_proof import Breach, Break, Proof, find_gap, follow
from services.auth.domain.errors import NotFound
from services.auth.storage.audit import find_stray, list_heads, read_partition
from shared.database import Database

Step = Entry | Head | Break


def verify_audit(*, partition: str | None = None, since: str | None = None, database: Database) -> Proof:
    """Follow the chain to its end, or to the first entry that breaks it.

    Args:
        partition: only this one, ``2026-11``.
        since: the hash of a head that was noted earlier; ``met`` says whether the chain still holds it.

    Raises:
        NotFound: there is no such partition.
    """
    count, last, met = 0, GENESIS, since in (None, GENESIS)
    with database.snapshot() as connection:
        for step in _steps(connection, partition):
            if isinstance(step, Break):
                return Proof(count, last, step, met)
            count += isinstance(step, Entry)
            last, met = step.hash, met or step.hash == since
    return Proof(count, last, None, met)


def _steps(connection: Connection, partition: str | None) -> Iterator[Step]:
    heads = list_heads(connection)
    wanted = [head for head in heads if partition in (None, head.partition)]
    if partition is not None and not wanted:
        raise NotFound("partition")
    before: dict[str, Head | None] = dict(zip((head.partition for head in heads), (None, *heads), strict=False))
    for head in wanted:
        yield from _walk(connection, before[head.partition], head)
    stray = find_stray(connection) if partition is None else None
    if stray:
        yield Break(stray.partition, stray.position, Breach.ADDED)


def _walk(connection: Connection, before: Head | None, head: Head) -> Iterator[Step]:
    gap = find_gap(before, head)
    if gap:
        yield gap
    # Of a partition whose entries were deleted on purpose, the head is what is left.
    elif head.purged_at is None:
        yield from follow(head, read_partition(connection, head.partition))
    yield head
