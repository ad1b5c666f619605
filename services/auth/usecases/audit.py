"""Every change leaves an entry in the audit trail, in the transaction of the change itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Change
from services.auth.storage.audit import append_changes
from shared.clock import Clock

Record = Callable[[Change], None]
"""Takes a change into the audit trail."""


@contextmanager
def audited(connection: Connection, actor: Actor, clock: Clock) -> Iterator[Record]:
    """Keep the changes that are recorded within, in order.

    They are written at the end, when the use case has taken every lock and row that it needs: the
    chain's own lock is the last of any transaction, so nobody who holds it waits for anybody else.
    A change that changes nothing is not kept; one that fails takes its entries with it.
    """
    changes: list[Change] = []
    yield changes.append
    kept = [change for change in changes if not change.is_void]
    if kept:
        append_changes(connection, actor, kept, clock=clock)
