"""A lease that is kept while its work is done, however long a part of that takes."""

from datetime import timedelta
from threading import Event, Thread
from types import TracebackType

import structlog
from sqlalchemy import Connection

from services.catalog.storage.leases import release_lease, renew_lease, take_lease
from shared.clock import Clock
from shared.database import DATABASE_AWAY, Database

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Another worker has taken over."""

    def __init__(self) -> None:
        super().__init__("another worker has taken over")


class KeptLease:
    """Taken first, then renewed by a thread of its own inside a ``with``, and given back at its end.

    Once it has run out it stays lost, whether somebody else has had it or not: what we know of the work is old.

    Args:
        name: of the work.
        holder: who we are.
        ttl: how long nobody else gets it when we die.
        every: how often it is renewed.
    """

    def __init__(
        self, name: str, holder: str, *, ttl: timedelta, every: timedelta, database: Database, clock: Clock
    ) -> None:
        self._name = name
        self._holder = holder
        self._ttl = ttl
        self.every_s = every.total_seconds()
        """Seconds between two renewals."""
        self._database = database
        self._clock = clock
        self._is_lost = False
        self._is_over = Event()
        self._thread = Thread(target=self._keep, name=f"lease-{name}", daemon=True)

    def take(self, connection: Connection) -> bool:
        """Take it; ``False`` when somebody else has it."""
        return take_lease(connection, self._name, self._holder, now=self._clock(), ttl=self._ttl)

    def hold(self, connection: Connection) -> None:
        """Make sure that it is still ours until the end of a transaction.

        Raises:
            LeaseLost: it is not.
        """
        self.check()
        if not self._renew(connection):
            raise LeaseLost

    def check(self) -> None:
        """Notice that it is not ours any more, as far as is known.

        Raises:
            LeaseLost: it is not.
        """
        if self._is_lost:
            raise LeaseLost

    def __enter__(self) -> "KeptLease":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        with self._database.write() as connection:
            release_lease(connection, self._name, self._holder)

    def _renew(self, connection: Connection) -> bool:
        is_ours = renew_lease(connection, self._name, self._holder, now=self._clock(), ttl=self._ttl)
        self._is_lost |= not is_ours
        return is_ours

    def _keep(self) -> None:
        while not self._is_over.wait(self.every_s):
            try:
                with self._database.write() as connection:
                    if not self._renew(connection):
                        return
            except DATABASE_AWAY as fault:
                # It may be back before somebody else finds the lease free.
                log.warning("lease.not_renewed", lease=self._name, fault=type(fault).__name__)
