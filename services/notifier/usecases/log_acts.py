"""What people do here stands in the event log too."""

from uuid import uuid4

from sqlalchemy import Connection

from services.notifier.storage.event_log import append_events
from services.notifier.usecases.record_events import load_entry
from shared.clock import Clock
from shared.contracts.events import EventData, envelope_of

SOURCE = "/notifier"


def log_act(connection: Connection, event: EventData, *, clock: Clock) -> None:
    """Append an event of our own to the log, inside the caller's transaction."""
    now = clock()
    envelope = envelope_of(event, id=uuid4().hex, source=SOURCE, time=now)
    append_events(connection, [load_entry(envelope)], now=now)
