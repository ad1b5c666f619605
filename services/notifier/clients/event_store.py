"""Where events become durable: with the broker or, while it is away, in the spool.

The spool is a broker too, a file with one queue for everything; the worker empties it into the real one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.notifier.metrics import EVENTS
from services.notifier.usecases.accept_envelope import NothingStored
from shared.config import Secret
from shared.contracts.events import Envelope
from shared.messaging.connections import BROKER_FAULTS, explain_fault
from shared.messaging.publisher import Publisher, PublishError
from shared.messaging.topology import QueueSpec, missing_topology, queue_length

log = structlog.get_logger(__name__)


def spool_queue(max_events: int) -> QueueSpec:
    """Return the spool's one queue: nothing in it is ever a dead letter, whatever the broker is doing."""
    return QueueSpec("notifier.spool", ("#",), delivery_limit=None, max_length=max_events)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before a registry is answered; it hangs up after one second unless told otherwise."""

    broker_s: float = 0.5
    spool_s: float = 0.4


class EventStore:
    """Stores events durably.

    Args:
        broker_url: where they belong.
        spool_url: where they go while the broker takes none; ``None``: nowhere.
        patience: limits of the two waits.
    """

    def __init__(self, broker_url: Secret, spool_url: Secret | None, patience: Patience) -> None:
        # Without a spool there is but one wait, and it may last as long as both.
        broker_s = patience.broker_s if spool_url else patience.broker_s + patience.spool_s
        self._broker = Publisher(broker_url, timeout_s=broker_s, bundles=True)
        self._spool = Publisher(spool_url, timeout_s=patience.spool_s) if spool_url else None

    def store(self, envelopes: Sequence[Envelope]) -> None:
        """Return when every event is durable.

        Raises:
            NothingStored: some are not.
        """
        try:
            self._broker.publish(envelopes)
        except PublishError as fault:
            self._store_in_spool(fault)

    def close(self) -> None:
        """Part from broker and spool."""
        self._broker.close()
        if self._spool:
            self._spool.close()

    def _store_in_spool(self, refusal: PublishError) -> None:
        if self._spool is None:
            log.error("events.not_stored", broker=str(refusal))
            raise NothingStored("The events cannot be stored now. Send them again.") from refusal
        try:
            self._spool.publish(refusal.unconfirmed)
        except PublishError as fault:
            log.error("events.not_stored", broker=str(refusal), spool=str(fault))
            raise NothingStored("The events cannot be stored now. Send them again.") from fault
        EVENTS.labels("spooled").inc(len(refusal.unconfirmed))
        log.warning("events.spooled", count=len(refusal.unconfirmed), broker=str(refusal))


def spool_fault(spool_url: Secret, queue: QueueSpec) -> str | None:
    """Return why the spool takes no events, or ``None``: a readiness check."""
    try:
        if missing := missing_topology(spool_url, [queue]):
            return missing
        full = queue_length(spool_url, queue.name) >= queue.max_length
    except BROKER_FAULTS as fault:
        return f"the spool cannot be used: {explain_fault(fault)}: see PORTUS_SPOOL_FILE"
    if full:
        return "the spool is full: start RabbitMQ and the worker, or raise PORTUS_SPOOL_MAX_EVENTS"
    return None
