"""Forgetting what is kept only for messages that come late or twice."""

from datetime import timedelta

from services.catalog.storage.activity import purge_activity
from services.catalog.storage.drift import drop_explained, purge_drift
from services.catalog.storage.immutability import purge_overwrites
from services.catalog.storage.index import purge_deletions, purge_manifests
from services.catalog.storage.instances import purge_instances
from services.catalog.storage.loss_windows import purge_windows
from services.catalog.storage.push_grants import purge_grants
from services.catalog.storage.retention import purge_runs
from services.catalog.storage.tables import idempotency_keys, inbox
from services.catalog.storage.tag_history import purge_writes
from shared.clock import Clock
from shared.database import Database
from shared.idempotency import purge_answers
from shared.messaging.inbox import purge_inbox

KEPT_FOR = timedelta(days=30)
"""A message that is older when it arrives may be applied again, or bring back a tag that was deleted after it."""

GRANTS_KEPT_FOR = timedelta(days=2)
"""So long it is known, after a restart of the registry, what could have been pushed to before it."""
WINDOWS_KEPT_FOR = timedelta(days=90)
DRIFT_KEPT_FOR = timedelta(days=90)
EXPLAINED_WITHIN = timedelta(days=1)
"""So long after a round has repaired a tag, word of its push explains that."""
RUNS_KEPT_FOR = timedelta(days=90)
OVERWRITES_KEPT_FOR = timedelta(days=400)
ACTIVITY_KEPT_FOR = timedelta(days=400)
INSTANCES_KEPT_FOR = timedelta(days=7)


def purge_history(*, database: Database, clock: Clock, tag_history: timedelta | None = None) -> int:
    """Forget a bounded number of message ids, deletions, kept answers and tags' old writes; return how many.

    Args:
        tag_history: how long is remembered what tags pointed at; ``None``: for ever.
    """
    before = clock() - KEPT_FOR
    with database.write() as connection:
        purged = purge_inbox(connection, inbox, before=before)
        purged += purge_deletions(connection, before=before)
        purged += purge_manifests(connection, before=before)
        purged += purge_grants(connection, before=clock() - GRANTS_KEPT_FOR)
        purged += purge_windows(connection, before=clock() - WINDOWS_KEPT_FOR)
        drop_explained(connection, after=clock() - EXPLAINED_WITHIN)
        purged += purge_drift(connection, before=clock() - DRIFT_KEPT_FOR)
        purged += purge_runs(connection, before=clock() - RUNS_KEPT_FOR)
        purged += purge_overwrites(connection, before=clock() - OVERWRITES_KEPT_FOR)
        purged += purge_activity(connection, before=(clock() - ACTIVITY_KEPT_FOR).date())
        purged += purge_answers(connection, idempotency_keys, now=clock())
        purged += purge_instances(connection, before=clock() - INSTANCES_KEPT_FOR)
        return purged + (purge_writes(connection, before=clock() - tag_history) if tag_history else 0)
