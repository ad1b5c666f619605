"""``catalog.push-grants``: tokens that allow a push, as ``auth`` tells of them."""

from collections.abc import Sequence
from threading import Event

from services.catalog.usecases.push_grants import note_push_grants
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database
from shared.messaging.consumer import Delivery, consume
from shared.messaging.topology import CATALOG_PUSH_GRANTS


def consume_push_grants(broker_url: Secret, *, database: Database, clock: Clock, stop: Event) -> None:
    """Keep grants in batches until told to stop."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        note_push_grants([delivery.envelope for delivery in deliveries], database=database, clock=clock)

    consume(broker_url, CATALOG_PUSH_GRANTS, handle, stop=stop)
