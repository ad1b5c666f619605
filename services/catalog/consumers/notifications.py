"""``catalog.notifications``: what the registry reports, by way of the notifier."""

from collections.abc import Sequence
from threading import Event

import structlog

from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.clock import Clock
from shared.config import Secret
from shared.contracts.events import RegistryNotification
from shared.database import Database
from shared.messaging.consumer import Delivery, consume
from shared.messaging.topology import CATALOG_NOTIFICATIONS

log = structlog.get_logger(__name__)


def consume_notifications(
    broker_url: Secret, *, database: Database, fetcher: ManifestFetcher, clock: Clock, stop: Event
) -> None:
    """Apply notifications in batches until told to stop."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        envelopes = [delivery.envelope for delivery in deliveries]
        ours = [envelope for envelope in envelopes if envelope.type == RegistryNotification.TYPE]
        if len(ours) < len(envelopes):
            # A binding that somebody made by hand: nothing here can be done with it, now or later.
            log.warning("notifications.foreign", count=len(envelopes) - len(ours))
        apply_notifications(ours, database=database, fetcher=fetcher, clock=clock)

    consume(broker_url, CATALOG_NOTIFICATIONS, handle, stop=stop)
