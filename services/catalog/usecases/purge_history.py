"""Forgetting what is kept only for messages that come late or twice."""

from datetime import timedelta

from services.catalog.storage.index import purge_deletions, purge_manifests
from services.catalog.storage.tables import inbox
from shared.clock import Clock
from shared.database import Database
from shared.messaging.inbox import purge_inbox

KEPT_FOR = timedelta(days=30)
"""A message that is older when it arrives may be applied again, or bring back a tag that was deleted after it."""


def purge_history(*, database: Database, clock: Clock) -> int:
    """Forget a bounded number of message ids and deletions that have grown old; return how many."""
    before = clock() - KEPT_FOR
    with database.write() as connection:
        purged = purge_inbox(connection, inbox, before=before)
        purged += purge_deletions(connection, before=before)
        return purged + purge_manifests(connection, before=before)
