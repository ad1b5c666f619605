"""``notifier.events``: what registries and services tell, for the event log."""

from collections.abc import Sequence
from threading import Event

from services.notifier.usecases.record_events import record_events
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database
from shared.messaging.consumer import Delivery, consume
from shared.messaging.topology import NOTIFIER_EVENTS


def consume_events(broker_url: Secret, *, database: Database, clock: Clock, stop: Event) -> None:
    """Append events to the log until told to stop."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        record_events([delivery.envelope for delivery in deliveries], database=database, clock=clock)

    consume(broker_url, NOTIFIER_EVENTS, handle, stop=stop)
