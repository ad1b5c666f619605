"""The spool: events that came while the broker was away, published when it is back."""

from collections.abc import Sequence
from threading import Event

from shared.config import Secret
from shared.messaging.consumer import Delivery, consume
from shared.messaging.publisher import Publisher
from shared.messaging.topology import QueueSpec


def drain_spool(spool_url: Secret, queue: QueueSpec, publisher: Publisher, *, stop: Event) -> None:
    """Publish what the spool holds until told to stop; an event leaves it when the broker has confirmed it."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        publisher.publish([delivery.envelope for delivery in deliveries])

    consume(spool_url, queue, handle, stop=stop)
