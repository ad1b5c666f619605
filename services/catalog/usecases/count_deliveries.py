"""What the registry says that it has delivered, compared with what arrived."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from services.catalog.domain.losses import Account, Counts, Reason, Suspicion, balance
from services.catalog.storage.deliveries import add_counted, find_account, save_account
from services.catalog.storage.instances import count_arrived
from services.catalog.storage.leases import take_lease
from services.catalog.storage.loss_windows import open_window
from shared.clock import Clock
from shared.database import Database

ReadCounters = Callable[[], Mapping[str, int] | None]
"""Returns what each process of the registry has counted, by its address; ``None``: one did not say."""

LEASE = "deliveries"
LEASE_TTL = timedelta(seconds=90)
"""Three readings long."""

log = structlog.get_logger(__name__)


def count_deliveries(read: ReadCounters, *, holder: str, registry: str, database: Database, clock: Clock) -> int:
    """Take a reading, and open a loss window when events are missing; return how many are.

    Args:
        holder: who we are, for the lease: an older reading of another worker would look like a restart.
        registry: what people call it.
    """
    with database.write() as connection:
        if not take_lease(connection, LEASE, holder, now=clock(), ttl=LEASE_TTL):
            return 0
    counted = read()
    if counted is None:
        return 0
    with database.write() as connection:
        now = clock()
        known = find_account(connection)
        reading = Counts(now, add_counted(connection, counted), count_arrived(connection))
        if known is None:
            save_account(connection, Account(reading, reading))
            return 0
        account, missing = balance(known, reading)
        save_account(connection, account)
        if missing:
            suspicion = Suspicion(registry, Reason.GAP, known.settled.at, known.pending.at, missing=missing)
            window = open_window(connection, suspicion, now=now)
            log.warning("losses.gap", window=window, missing=missing)
    return missing
