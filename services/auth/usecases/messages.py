"""What other services are told, in the transaction of the change itself."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from services.auth.storage.tables import outbox
from shared.contracts.events import EventData, envelope_of
from shared.messaging.outbox import record_event

SOURCE = "/auth"
"""``source`` of every message of this service."""


def tell(connection: Connection, event: EventData, *, about: str | None, now: datetime) -> None:
    """Put an event into the outbox.

    Args:
        about: what the event is about, where one name says it.
    """
    record_event(connection, outbox, envelope_of(event, id=uuid4().hex, source=SOURCE, time=now, subject=about))
