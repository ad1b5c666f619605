"""Locks that make check-then-write safe when several processes do it."""

from enum import IntEnum

from sqlalchemy import Connection, func, select


class Lock(IntEnum):
    """What is locked; the numbers are the keys of PostgreSQL's advisory locks."""

    NAMES = 0x706F7274_0001
    """People, teams, namespaces and robots, their names, credentials and rights: rare changes, one at a time."""
    LEAVES = 0x706F7274_0002
    """The signing leaf: only one process mints."""
    AUDIT = 0x706F7274_0003
    """The end of the audit trail's hash chain; taken last of all, see ``usecases.audit``."""


def hold(connection: Connection, lock: Lock) -> None:
    """Wait for a lock and hold it until the transaction ends.

    A write transaction on SQLite is alone from its beginning, so there is nothing to do.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(int(lock))))
