"""How often all workers together may ask the registry: one row from which each takes its places."""

from sqlalchemy import Connection, case

from services.catalog.storage.statements import new_insert
from services.catalog.storage.tables import paces

LONGEST_WAIT_S = 600.0
"""What is taken further ahead was taken by a clock that was wrong, and counts as not taken."""


def take_places(connection: Connection, name: str, *, now_s: float, span_s: float, burst_s: float) -> float:
    """Take a stretch of time for oneself, behind what others have taken, and return when it begins.

    Args:
        now_s: seconds since the epoch, as is what is returned.
        span_s: how long it is.
        burst_s: so far back it may begin when nobody has taken anything for a while.
    """
    insert = new_insert(connection, paces)
    floor = now_s - burst_s
    is_free = (paces.c.taken_until < floor) | (paces.c.taken_until > now_s + LONGEST_WAIT_S)
    begins_at = case((is_free, floor), else_=paces.c.taken_until)
    row = {"name": name, "taken_until": floor + span_s}
    statement = insert.on_conflict_do_update(index_elements=["name"], set_={"taken_until": begins_at + span_s})
    taken_until: float = connection.execute(statement.returning(paces.c.taken_until), row).scalar_one()
    return taken_until - span_s
