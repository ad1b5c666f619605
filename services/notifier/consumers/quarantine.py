"""``notifier.quarantine``: events that could not be understood, kept in the database."""

from collections.abc import Sequence
from threading import Event

from services.notifier.usecases.keep_quarantined import keep_quarantined
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database
from shared.messaging.consumer import Delivery, consume
from shared.messaging.topology import NOTIFIER_QUARANTINE


def consume_quarantine(broker_url: Secret, *, database: Database, clock: Clock, stop: Event) -> None:
    """Keep quarantined events until told to stop."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        keep_quarantined([delivery.envelope for delivery in deliveries], database=database, clock=clock)

    consume(broker_url, NOTIFIER_QUARANTINE, handle, stop=stop)
