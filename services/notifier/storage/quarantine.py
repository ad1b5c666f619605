"""Rows of ``quarantined_events``."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from services.notifier.storage.tables import quarantined_events


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """An event that could not be understood."""

    event_id: str
    """Of the message that brought it."""
    received_at: datetime
    reason: str
    raw: str


def insert_quarantined(connection: Connection, events: Sequence[QuarantinedEvent]) -> None:
    """Add events."""
    if events:
        connection.execute(insert(quarantined_events), [asdict(event) for event in events])


def trim_quarantined(connection: Connection, *, keep: int) -> int:
    """Delete the oldest events beyond ``keep`` and return how many."""
    ids = select(quarantined_events.c.id).order_by(quarantined_events.c.id.desc())
    newest_to_go = connection.scalar(ids.offset(keep).limit(1))
    if newest_to_go is None:
        return 0
    return connection.execute(delete(quarantined_events).where(quarantined_events.c.id <= newest_to_go)).rowcount
