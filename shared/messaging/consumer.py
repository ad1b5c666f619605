"""Consuming a queue in batches: acknowledged after the handler has committed, and never before.

What it means when a handler fails for a single delivery:

* ``InvalidMessage`` or ``Rejected``: it can never be applied and goes to the dead letters at once.
* ``Unavailable``, ``PublishError``, or a database that does not answer: that is no fault of the
  message. It is kept and given again, however long it takes.
* anything else: it is given again a little later, and is a dead letter after the queue's limit.

A batch that fails is given again one delivery at a time, so that a bad one takes no neighbour with it.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from kombu.entity import Queue
from kombu.message import Message
from kombu.messaging import Consumer

from shared.config import Secret
from shared.contracts.events import Envelope, InvalidMessage, load_envelope
from shared.database import DATABASE_AWAY
from shared.messaging.confirms import ConfirmedChannel, Outgoing
from shared.messaging.connections import BROKER_FAULTS, describe_broker, explain_fault, open_connection
from shared.messaging.publisher import PublishError
from shared.messaging.topology import DEAD_EXCHANGE, QueueSpec

REASON_HEADER = "x-portus-reason"
"""On a dead letter: why it was rejected. One that came back too often has RabbitMQ's own headers only."""

TIMEOUT_S = 5.0
"""Limit of each wait for the broker's answer."""
HEARTBEAT_S = 20.0
"""A broker that is silent for twice as long is taken for dead."""
WAIT_S = 0.25
"""Longest wait for a message before looking whether to stop."""
GATHER_S = 0.003
"""A batch is closed when no further message arrives for this long."""
RETRY_PAUSE_S = 0.1
"""A failed delivery is given again after this long, then twice as long each time."""
LONGEST_RETRY_PAUSE_S = 5.0
LONGEST_RECONNECT_PAUSE_S = 2.0
LONGEST_REASON = 500
"""Characters of a reason that are kept."""

log = structlog.get_logger(__name__)


class Rejected(Exception):
    """A handler says that one delivery can never be applied; the text becomes the reason."""


class Unavailable(Exception):
    """A handler says that something it needs is away; nothing is wrong with the message."""


_OUTAGES = (Unavailable, PublishError, *DATABASE_AWAY)


@dataclass(frozen=True)
class Delivery:
    """One message as it was given to us."""

    envelope: Envelope
    redelivered: bool
    """It was given to somebody before, who may have applied it."""


Handler = Callable[[Sequence[Delivery]], None]


@dataclass(frozen=True, slots=True)
class _Item:
    message: Message
    delivery: Delivery


def consume(
    broker_url: Secret, queue: QueueSpec, handle: Handler, *, stop: threading.Event, batch_size: int = 100
) -> None:
    """Feed a queue's messages to a handler until told to stop; reconnects by itself.

    Args:
        broker_url: see ``open_connection``.
        queue: must have been declared.
        handle: gets 1 to ``batch_size`` deliveries and commits before it returns.
        stop: checked several times a second; what is held then is finished and acknowledged.
        batch_size: also what is held at once.
    """
    failures = 0
    while not stop.is_set():
        try:
            with _Subscription(broker_url, queue, handle, batch_size) as subscription:
                failures = 0
                subscription.run(stop)
        except Exception as fault:
            # The outermost loop of a consumer: py-amqp has more ways to say "gone" than it documents.
            unexpected = not isinstance(fault, BROKER_FAULTS)
            where, what = describe_broker(broker_url), explain_fault(fault)
            log.warning("consumer.disconnected", queue=queue.name, broker=where, fault=what, exc_info=unexpected)
            failures += 1
            stop.wait(min(0.1 * 2**failures, LONGEST_RECONNECT_PAUSE_S))


class _Subscription:
    """One connection's life."""

    def __init__(self, broker_url: Secret, queue: QueueSpec, handle: Handler, batch_size: int) -> None:
        self._broker_url = broker_url
        self._queue = queue
        self._handle = handle
        self._batch_size = batch_size
        self._received: list[Message] = []
        self._kept: list[_Item] = []
        self._failed: list[tuple[float, Message]] = []
        self._waiting = False
        self._cautious = True
        self._graveyard: ConfirmedChannel | None = None
        self._connection = open_connection(broker_url, timeout_s=TIMEOUT_S, heartbeat_s=HEARTBEAT_S)

    def __enter__(self) -> "_Subscription":
        try:
            self._consumer = Consumer(
                self._connection.channel(),
                [Queue(self._queue.name, no_declare=True)],
                on_message=self._received.append,
                auto_declare=False,
                prefetch_count=1,
            )
            self._consumer.consume()
        except BaseException:
            self._connection.collect()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._graveyard:
            self._graveyard.discard()
        if kind is None:
            self._connection.release()
        else:
            self._connection.collect()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what was delivered."""
        while not stop.is_set():
            self._connection.heartbeat_check()
            self._requeue_failed(time.monotonic())
            self._receive()
            self._process()
        self._consumer.cancel()
        self._process()
        self._requeue_failed(float("inf"))

    def _receive(self) -> None:
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=WAIT_S)
            self._widen()
            while len(self._received) < self._batch_size:
                self._connection.drain_events(timeout=GATHER_S)

    def _widen(self) -> None:
        """Take whole batches once what came back is through.

        Every crash of a process counts against all that it holds. What was given before may be what
        killed the one before us, so it is taken one by one: then nothing else dies with it.
        """
        if self._cautious and not all(message.delivery_info.get("redelivered") for message in self._received):
            self._cautious = False
            self._consumer.cancel()
            self._consumer.qos(prefetch_count=self._batch_size)
            self._consumer.consume()

    def _process(self) -> None:
        received, self._received[:] = self._received[:], []
        items = self._kept + list(self._parse(received))
        self._kept = []
        if len(items) < 2 or not self._process_together(items):
            self._process_singly(items)

    def _parse(self, messages: Iterable[Message]) -> Iterable[_Item]:
        for message in messages:
            try:
                envelope = _load(message)
            except InvalidMessage as fault:
                self._bury(message, fault)
            else:
                yield _Item(message, Delivery(envelope, bool(message.delivery_info.get("redelivered"))))

    def _process_together(self, items: list[_Item]) -> bool:
        try:
            self._handle([item.delivery for item in items])
        except Exception as fault:  # noqa: BLE001 (each delivery will show its own fault)
            log.info("consumer.batch_failed", queue=self._queue.name, size=len(items), fault=type(fault).__name__)
            return False
        self._acknowledge_all(items)
        return True

    def _process_singly(self, items: list[_Item]) -> None:
        for position, item in enumerate(items):
            try:
                self._handle([item.delivery])
            except (InvalidMessage, Rejected) as fault:
                self._bury(item.message, fault)
            except _OUTAGES as fault:
                # To the end with it: should this one be to blame after all, the others get past it.
                self._wait([*items[position + 1 :], item], fault)
                return
            except Exception as fault:  # noqa: BLE001 (the fault is the handler's; the queue must go on)
                self._fail(item, fault)
            else:
                self._acknowledge(item)

    def _acknowledge_all(self, items: list[_Item]) -> None:
        self._waiting = False
        if self._failed:
            # They are older and not done, so one acknowledgement cannot stand for all.
            for item in items:
                item.message.ack()
        else:
            max((item.message for item in items), key=lambda message: int(message.delivery_tag)).ack(multiple=True)

    def _acknowledge(self, item: _Item) -> None:
        item.message.ack()
        self._waiting = False

    def _wait(self, items: list[_Item], fault: Exception) -> None:
        self._kept = items
        if not self._waiting:
            self._waiting = True
            log.warning("consumer.waiting", queue=self._queue.name, size=len(items), fault=str(fault))

    def _fail(self, item: _Item, fault: Exception) -> None:
        count = int(item.message.headers.get("x-delivery-count", 0))
        identity = {"id": item.delivery.envelope.id, "type": item.delivery.envelope.type}
        log.error("consumer.delivery_failed", queue=self._queue.name, times=count + 1, exc_info=fault, **identity)
        pause_s = min(RETRY_PAUSE_S * 2**count, LONGEST_RETRY_PAUSE_S)
        self._failed.append((time.monotonic() + pause_s, item.message))

    def _requeue_failed(self, now: float) -> None:
        waiting = []
        for due, message in self._failed:
            if due <= now:
                message.requeue()
            else:
                waiting.append((due, message))
        self._failed = waiting

    def _bury(self, message: Message, fault: Exception) -> None:
        reason = f"{type(fault).__name__}: {fault}"[:LONGEST_REASON]
        log.error("consumer.delivery_rejected", queue=self._queue.name, reason=reason)
        # The broker's own dead-lettering has no place for our reason, so we publish the dead letter.
        letter = Outgoing(
            DEAD_EXCHANGE, self._queue.name, _body(message), headers={**message.headers, REASON_HEADER: reason}
        )
        self._graveyard = self._graveyard or ConfirmedChannel(self._broker_url, timeout_s=TIMEOUT_S)
        self._graveyard.send([letter])
        if letter.fault is None:
            message.ack()
        else:
            message.reject()


def _load(message: Message) -> Envelope:
    try:
        body = json.loads(_body(message))
    except (ValueError, RecursionError) as fault:
        raise InvalidMessage(f"not JSON: {fault}") from fault
    return load_envelope(body)


def _body(message: Message) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body or b"")
