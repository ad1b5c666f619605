"""Delete old entries of the audit trail, a month at a time."""

from datetime import datetime

from services.auth.domain.actors import PORTUS
from services.auth.domain.audit import Action, Change, Fields, Target
from services.auth.domain.audit_chain import partition_of
from services.auth.storage.audit import purge_partitions
from services.auth.usecases.audit import audited
from shared.clock import Clock
from shared.database import Database


def purge_audit(*, keep_months: int, database: Database, clock: Clock) -> None:
    """Delete the entries of the partitions that are old enough, and nothing of any other.

    Args:
        keep_months: how many whole months before the present one are kept; 0: all.
    """
    now = clock()
    if keep_months == 0:
        return
    oldest_kept = partition_of(_months_before(now, keep_months))
    with database.write() as connection, audited(connection, PORTUS, clock) as record:
        for head in purge_partitions(connection, before=oldest_kept, now=now):
            shown: Fields = {"partition": head.partition, "entries": head.entries}
            record(Change(Action.AUDIT_PURGED, Target(head.partition, head.partition), before=shown))


def _months_before(at: datetime, months: int) -> datetime:
    years, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=years, month=month + 1, day=1)
