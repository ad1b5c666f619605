"""How far the index has come."""

from datetime import datetime

from sqlalchemy import Connection, select

from services.catalog.storage.statements import upsert
from services.catalog.storage.tables import progress

_ONLY_ROW = 1


def note_indexed(connection: Connection, *, now: datetime) -> None:
    """Note that the registry's notifications are applied up to now; best as a transaction's last statement."""
    upsert(connection, progress, [{"id": _ONLY_ROW, "indexed_at": now}])


def find_indexed_at(connection: Connection) -> datetime | None:
    """Return when notifications were applied last."""
    return connection.scalar(select(progress.c.indexed_at))
