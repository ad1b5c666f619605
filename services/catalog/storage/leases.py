"""Leases: work that only one worker at a time may do."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from services.catalog.storage.statements import new_insert
from services.catalog.storage.tables import leases


def take_lease(connection: Connection, name: str, holder: str, *, now: datetime, ttl: timedelta) -> bool:
    """Take or renew a lease; ``False`` when somebody else holds it."""
    row = {"name": name, "holder": holder, "expires_at": now + ttl}
    insert = new_insert(connection, leases)
    free = (leases.c.expires_at <= now) | (leases.c.holder == holder)
    changes = {"holder": insert.excluded.holder, "expires_at": insert.excluded.expires_at}
    statement = insert.on_conflict_do_update(index_elements=["name"], set_=changes, where=free)
    return connection.execute(statement.returning(leases.c.holder), row).first() is not None


def renew_lease(connection: Connection, name: str, holder: str, *, now: datetime, ttl: timedelta) -> bool:
    """Renew a lease that has not ended; ``False``: it has, and somebody else may have had it since."""
    ours = (leases.c.name == name) & (leases.c.holder == holder) & (leases.c.expires_at > now)
    return connection.execute(update(leases).where(ours).values(expires_at=now + ttl)).rowcount == 1


def find_holder(connection: Connection, name: str, *, now: datetime) -> str | None:
    """Return who holds a lease."""
    holder: str | None = connection.scalar(_HOLDER, {"lease": name, "now": now})
    return holder


# Asked all the time by every worker.
_HOLDER = select(leases.c.holder).where(leases.c.name == bindparam("lease"), leases.c.expires_at > bindparam("now"))


def release_lease(connection: Connection, name: str, holder: str) -> None:
    """Give a lease back before it ends."""
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
