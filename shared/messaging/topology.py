"""Which queues there are, declared by a deploy step and checked by readiness.

Everything is durable. A queue is a quorum queue of limited length that refuses when it is full; what
was given too often, or refused, lies in ``<queue>.dead`` until somebody looks at it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import NotFound
from kombu.connection import Connection
from kombu.entity import Exchange, Queue, binding

from shared.config import Secret
from shared.contracts.events import EXCHANGE
from shared.messaging.connections import BROKER_FAULTS, describe_broker, explain_fault, open_connection

DEAD_EXCHANGE = "portus.dead"
"""A direct exchange; the routing key of a dead letter is the name of the queue it died in."""

MAX_DEAD_LETTERS = 100_000
"""When as many lie in ``<queue>.dead``, the next one stays in its queue until there is room."""

DEAD_DELIVERY_LIMIT = 1_000_000
"""As often as it takes. Unless it is told, RabbitMQ 4 drops what came back 20 times."""

DECLARE_TIMEOUT_S = 30.0
"""A quorum queue that is declared for the first time elects a leader."""

READINESS_TIMEOUT_S = 0.9


@dataclass(frozen=True)
class QueueSpec:
    """A queue and what it is bound for."""

    name: str
    binding_keys: tuple[str, ...]
    """Routing keys on ``portus.events``, that is, message types; ``#`` stands for all."""
    delivery_limit: int | None = 5
    """How often a delivery may come back before it is a dead letter; ``None``: as often as it likes."""
    max_length: int = 1_000_000
    """When as many messages wait, publishers are refused."""

    @property
    def dead_name(self) -> str:
        return f"{self.name}.dead"


CATALOG_NOTIFICATIONS = QueueSpec("catalog.notifications", ("registry.notification.v1",))
NOTIFIER_QUARANTINE = QueueSpec("notifier.quarantine", ("registry.notification.quarantined.v1",), max_length=10_000)
NOTIFIER_EVENTS = QueueSpec("notifier.events", ("registry.notification.v1", "catalog.#", "auth.#"))
CATALOG_PUSH_GRANTS = QueueSpec("catalog.push-grants", ("auth.token.push_granted.v1",))
CATALOG_CRAWL_TASKS = QueueSpec("catalog.crawl-tasks", ("tasks.repository.crawl_requested.v1",), max_length=100_000)
TOPOLOGY = (CATALOG_NOTIFICATIONS, CATALOG_PUSH_GRANTS, CATALOG_CRAWL_TASKS, NOTIFIER_QUARANTINE, NOTIFIER_EVENTS)


def declare_topology(broker_url: Secret, queues: Sequence[QueueSpec] = TOPOLOGY) -> None:
    """Make the exchanges, queues and bindings that are missing; does nothing to those that are there.

    Raises:
        BROKER_FAULTS: the broker is away, or has a queue of that name with other arguments.
    """
    with _opened(broker_url, timeout_s=DECLARE_TIMEOUT_S) as connection:
        channel = connection.channel()
        events = Exchange(EXCHANGE, "topic", durable=True)
        dead = Exchange(DEAD_EXCHANGE, "direct", durable=True)
        for exchange in (events, dead):
            exchange(channel).declare()
        for spec in queues:
            _dead_queue(spec, dead)(channel).declare()
            _queue(spec, events)(channel).declare()


def topology_fault(
    broker_url: Secret, queues: Sequence[QueueSpec] = TOPOLOGY, *, timeout_s: float = READINESS_TIMEOUT_S
) -> str | None:
    """Return what is wrong with the broker in one line that says what to do, or ``None``: a readiness check.

    Args:
        timeout_s: limit of each of the two waits that a dead or frozen broker can cause.
    """
    try:
        return missing_topology(broker_url, queues, timeout_s=timeout_s)
    except BROKER_FAULTS as fault:
        where = describe_broker(broker_url)
        return f"broker {where} does not answer ({explain_fault(fault)}): start it, or correct PORTUS_BROKER_URL"


def missing_topology(
    broker_url: Secret, queues: Sequence[QueueSpec] = TOPOLOGY, *, timeout_s: float = READINESS_TIMEOUT_S
) -> str | None:
    """Return which part of the topology is missing, in one line that says what to do, or ``None``.

    Raises:
        BROKER_FAULTS: the broker is away.
    """
    try:
        with _opened(broker_url, timeout_s=timeout_s) as connection:
            channel = connection.channel()
            for exchange in (EXCHANGE, DEAD_EXCHANGE):
                channel.exchange_declare(exchange, "topic", passive=True)
            for spec in queues:
                for name in (spec.name, spec.dead_name):
                    channel.queue_declare(name, passive=True)
    except NotFound as fault:
        return f"broker {describe_broker(broker_url)} lacks a part of the topology: {explain_fault(fault)}"
    return None


def queue_length(broker_url: Secret, queue: str, *, timeout_s: float = READINESS_TIMEOUT_S) -> int:
    """Return how many messages wait in a queue.

    Raises:
        BROKER_FAULTS: the broker is away, or there is no such queue.
    """
    with _opened(broker_url, timeout_s=timeout_s) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def _queue(spec: QueueSpec, events: Exchange) -> Queue:
    limit = {} if spec.delivery_limit is None else {"x-delivery-limit": spec.delivery_limit}
    arguments = limit | {
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": spec.name,
        # The queue keeps a dead letter until its own dead-letter queue has confirmed it.
        "x-dead-letter-strategy": "at-least-once",
    }
    bindings = [binding(events, routing_key=key) for key in spec.binding_keys]
    return _quorum_queue(spec.name, bindings, arguments, max_length=spec.max_length)


def _dead_queue(spec: QueueSpec, dead: Exchange) -> Queue:
    limit = {"x-delivery-limit": DEAD_DELIVERY_LIMIT}
    return _quorum_queue(spec.dead_name, [binding(dead, routing_key=spec.name)], limit, max_length=MAX_DEAD_LETTERS)


def _quorum_queue(name: str, bindings: list[binding], arguments: dict[str, Any], *, max_length: int) -> Queue:
    kind = {"x-queue-type": "quorum", "x-max-length": max_length, "x-overflow": "reject-publish"}
    return Queue(name, bindings=bindings, durable=True, queue_arguments=kind | arguments)


@contextmanager
def _opened(broker_url: Secret, *, timeout_s: float) -> Iterator[Connection]:
    connection = open_connection(broker_url, timeout_s=timeout_s)
    try:
        yield connection
    except BaseException:
        # Not release(): that would wait for an answer of a broker that may be frozen.
        connection.collect()
        raise
    connection.release()
