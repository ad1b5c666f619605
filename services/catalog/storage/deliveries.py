"""The registry's own count of deliveries, compared with what arrived."""

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from services.catalog.domain.losses import Account, Counts
from services.catalog.storage.loss_tables import delivery_account as account
from services.catalog.storage.loss_tables import delivery_counters as counters
from services.catalog.storage.statements import upsert


def add_counted(connection: Connection, counted: Mapping[str, int]) -> int:
    """Add what processes have counted since they were asked last, and return the sum since we began.

    Args:
        counted: by the process's address; a count that is smaller than before began anew at a restart.
    """
    known = {row.url: row.counted for row in connection.execute(select(counters))}
    # A process that is asked for the first time has counted before we did.
    news = sum(count - known[url] if count >= known[url] else count for url, count in counted.items() if url in known)
    upsert(connection, counters, [{"url": url, "counted": count} for url, count in sorted(counted.items())])
    connection.execute(update(account).values(sent=account.c.sent + news))
    return int(connection.execute(select(account.c.sent)).scalar_one())


def find_account(connection: Connection) -> Account | None:
    """Return the comparison so far; ``None`` before the first reading."""
    row = connection.execute(select(account).with_for_update()).one()
    if row.settled_at is None or row.pending_at is None:
        return None
    return Account(
        Counts(row.settled_at, row.settled_sent, row.settled_arrived),
        Counts(row.pending_at, row.pending_sent, row.pending_arrived),
    )


def save_account(connection: Connection, new: Account) -> None:
    """Write the comparison down."""
    values = {
        f"{name}_{field}": getattr(counts, field)
        for name, counts in (("settled", new.settled), ("pending", new.pending))
        for field in ("at", "sent", "arrived")
    }
    connection.execute(update(account).values(values))
