"""The audit trail: entries are added at its end, under one lock, and never changed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from services.auth.domain.actors import Actor
from services.auth.domain.audit import CONCERNED, Change, Ref, Target
from services.auth.domain.audit_chain import Entry, Head, extend, next_head
from services.auth.storage.locks import Lock, hold
from services.auth.storage.tables import audit_entries, audit_heads
from shared.clock import Clock


def append_changes(connection: Connection, actor: Actor, changes: Sequence[Change], *, clock: Clock) -> None:
    """Add entries to the end of the trail.

    Whoever else writes waits from here until the caller's transaction ends, so nothing that could
    wait for anybody may come after this.
    """
    hold(connection, Lock.AUDIT)
    # Asked after the wait, so that the entries' times go with their order.
    now = clock()
    last = find_last_head(connection)
    head = next_head(last, now)
    entries = list(extend(head, actor, changes, at=now))
    connection.execute(insert(audit_entries), [dump_entry(entry) for entry in entries])
    end = entries[-1]
    moved = replace(head, entries=end.position, last_id=end.id, hash=end.hash)
    _keep_head(connection, moved, is_new=last is None or last.partition != head.partition)


def find_last_head(connection: Connection) -> Head | None:
    """Return the head of the newest partition."""
    statement = select(audit_heads).order_by(audit_heads.c.partition.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return load_head(row) if row else None


def list_heads(connection: Connection) -> list[Head]:
    """Return the heads of all partitions, oldest first; there is one a month."""
    return [load_head(row) for row in connection.execute(select(audit_heads).order_by(audit_heads.c.partition))]


def read_partition(connection: Connection, partition: str, *, batch: int = 1000) -> Iterator[Entry]:
    """Yield all entries of a partition by position, a batch at a time."""
    table = audit_entries.c
    statement = select(audit_entries).where(table.partition == partition).order_by(table.position).limit(batch)
    rows: Sequence[Row[Any]] = connection.execute(statement).all()
    while rows:
        yield from (load_entry(row) for row in rows)
        rows = connection.execute(statement.where(table.position > rows[-1].position)).all()


def find_stray(connection: Connection) -> Entry | None:
    """Return an entry that lies in no partition that should have any."""
    known = select(audit_heads.c.partition).where(audit_heads.c.purged_at.is_(None))
    strays = select(audit_entries).where(audit_entries.c.partition.not_in(known))
    row = connection.execute(strays.order_by(audit_entries.c.partition, audit_entries.c.position).limit(1)).first()
    return load_entry(row) if row else None


def purge_partitions(connection: Connection, *, before: str, now: datetime) -> list[Head]:
    """Delete all entries of the partitions before one, never of the newest; return their heads, which stay."""
    heads = audit_heads.c
    newest = select(func.max(heads.partition)).scalar_subquery()
    due = (heads.partition < before, heads.partition < newest, heads.purged_at.is_(None))
    # A second worker waits here for the first, and then finds nothing due.
    marked = connection.execute(update(audit_heads).where(*due).values(purged_at=now).returning(audit_heads))
    purged = sorted((load_head(row) for row in marked), key=lambda head: head.partition)
    gone = audit_entries.c.partition.in_([head.partition for head in purged])
    connection.execute(delete(audit_entries).where(gone))
    return purged


def load_head(row: Row[Any]) -> Head:
    """Turn a row of ``audit_heads`` into what it says."""
    return Head(**row._mapping)


def dump_entry(entry: Entry) -> dict[str, Any]:
    """Turn an entry into its row."""
    row = asdict(entry)
    target = row.pop("target")
    row |= {"target_id": target["id"], "target_name": target["name"]}
    for kind in CONCERNED:
        ref = row.pop(kind) or {"id": None, "name": None}
        row |= {f"{kind}_id": ref["id"], f"{kind}_name": ref["name"]}
    return row


def load_entry(row: Row[Any]) -> Entry:
    """Turn a row of ``audit_entries`` into the entry."""
    values = dict(row._mapping)
    target = Target(values.pop("target_id"), values.pop("target_name"))
    for kind in CONCERNED:
        id_, name = values.pop(f"{kind}_id"), values.pop(f"{kind}_name")
        values[kind] = None if id_ is None else Ref(id_, name)
    return Entry(**values, target=target)


def _keep_head(connection: Connection, head: Head, *, is_new: bool) -> None:
    values = asdict(head)
    if is_new:
        connection.execute(insert(audit_heads).values(values))
        return
    connection.execute(update(audit_heads).where(audit_heads.c.partition == head.partition).values(values))
