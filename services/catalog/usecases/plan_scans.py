"""What is to be scanned, and whose result nobody needs any more: a part of all tags and scans at a time."""

from datetime import timedelta

import structlog

from services.catalog.storage.leases import take_lease
from services.catalog.storage.scan_planning import drop_unwanted, enlist, list_unscanned
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest

LEASE = "scan-planning"
LEASE_TTL = timedelta(minutes=1)
LOOKED_AT = 1000
"""So many tags, and so many scans, are looked at in one go."""

log = structlog.get_logger(__name__)


class ScanPlanner:
    """Goes round: through the newest tags each time, and through a part of everything.

    Args:
        scanner: the name under which the scanner is known here.
        holder: who we are; one planner plans for all workers.
    """

    def __init__(self, scanner: str, *, holder: str, database: Database, clock: Clock) -> None:
        self._scanner = scanner
        self._holder = holder
        self._database = database
        self._clock = clock
        self._tag = 0
        self._digest: Digest | None = None

    def plan(self) -> bool:
        """Look at the next part; tell whether there is more of it."""
        with self._database.write() as connection:
            if not take_lease(connection, LEASE, self._holder, now=self._clock(), ttl=LEASE_TTL):
                return False
            newest, _ = list_unscanned(connection, self._scanner, limit=LOOKED_AT)
            others, tag = list_unscanned(connection, self._scanner, after=self._tag, limit=LOOKED_AT)
            enlist(connection, self._scanner, {**others, **newest}.items())
            self._digest, dropped = drop_unwanted(connection, self._scanner, after=self._digest, limit=LOOKED_AT)
        self._tag = tag or 0
        if newest or others or dropped:
            log.info("scans.planned", new=len({**others, **newest}), dropped=dropped)
        return tag is not None or self._digest is not None
