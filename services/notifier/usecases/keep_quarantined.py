"""Keep what could not be understood, for whoever runs Portus to look at."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.notifier.storage.quarantine import QuarantinedEvent, insert_quarantined, trim_quarantined
from services.notifier.storage.tables import inbox
from shared.clock import Clock
from shared.contracts.events import Envelope, RegistryNotificationQuarantined, load_data
from shared.database import Database
from shared.messaging.inbox import claim_new, purge_inbox

MAX_QUARANTINED = 10_000
"""Events kept; when there are more, the oldest go."""

REMEMBERED_FOR = timedelta(days=7)
"""How long a redelivery of the same event is recognized."""

log = structlog.get_logger(__name__)


def keep_quarantined(
    envelopes: Sequence[Envelope], *, database: Database, clock: Clock, keep: int = MAX_QUARANTINED
) -> int:
    """Store each event once and return how many were new; the oldest beyond ``keep`` are dropped.

    Raises:
        InvalidMessage: an envelope does not hold a quarantined event.
    """
    with database.write() as connection:
        new = claim_new(connection, inbox, envelopes, now=clock())
        insert_quarantined(connection, [_load(envelope) for envelope in new])
        dropped = trim_quarantined(connection, keep=keep)
    if dropped:
        log.warning("quarantine.trimmed", dropped=dropped, kept=keep)
    return len(new)


def forget_old_messages(*, database: Database, clock: Clock) -> int:
    """Purge the inbox of messages that can hardly come again, and return how many."""
    with database.write() as connection:
        return purge_inbox(connection, inbox, before=clock() - REMEMBERED_FOR)


def _load(envelope: Envelope) -> QuarantinedEvent:
    event = load_data(RegistryNotificationQuarantined, envelope.data)
    return QuarantinedEvent(envelope.id, envelope.time, event.reason, event.raw)
