"""Consuming a queue in batches: acknowledged after the handler has committed, and never before.

What it means when a handler fails for a single delivery:

* ``InvalidMessage`` or ``Rejected``: it can never be applied and goes to the dead letters at once.
* ``Unavailable``, ``PublishError``, or a database that does not answer: that is no fault of the
  message. It is kept and given again, however long it takes.
* anything else: it is given again a little later, and is a dead letter with the last reason after the
  queue's limit.

A batch that fails is given again one delivery at a time, so that a bad one takes no neighbour with it.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

import structlog
from kombu.message import Message

from shared.config import Secret
from shared.contracts.events import Envelope, InvalidMessage, load_envelope
from shared.database import DATABASE_AWAY
from shared.messaging.graveyard import Graveyard, body_of
from shared.messaging.mailbox import Mailbox, keep_connected
from shared.messaging.publisher import PublishError
from shared.messaging.topology import QueueSpec

RETRY_PAUSE_S = 0.1
"""A failed delivery is given again after this long, then twice as long each time."""
LONGEST_RETRY_PAUSE_S = 5.0

log = structlog.get_logger(__name__)


class Rejected(Exception):
    """A handler says that one delivery can never be applied; the text becomes the reason."""


class Unavailable(Exception):
    """A handler says that something it needs is away; nothing is wrong with the message."""


OUTAGES = (Unavailable, PublishError, *DATABASE_AWAY)
"""What says nothing about the message."""


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

    def work(mailbox: Mailbox) -> None:
        with closing(_Subscription(broker_url, queue, handle, batch_size, mailbox)) as subscription:
            subscription.run(stop)

    keep_connected(broker_url, queue.name, work, stop=stop, prefetch_count=1)


class _Subscription:
    """One connection's life."""

    def __init__(
        self, broker_url: Secret, queue: QueueSpec, handle: Handler, batch_size: int, mailbox: Mailbox
    ) -> None:
        self._broker_url = broker_url
        self._queue = queue
        self._handle = handle
        self._batch_size = batch_size
        self._mailbox = mailbox
        self._kept: list[_Item] = []
        self._failed: list[tuple[float, Message]] = []
        self._waiting = False
        self._cautious = True
        self._graveyard = Graveyard(broker_url, queue.name)

    def close(self) -> None:
        self._graveyard.close()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what was delivered."""
        while not stop.is_set():
            self._mailbox.beat()
            self._requeue_failed(time.monotonic())
            self._receive()
            self._process()
        self._mailbox.cancel()
        self._process()
        self._requeue_failed(float("inf"))

    def _receive(self) -> None:
        if self._mailbox.wait():
            self._widen()
            self._mailbox.gather(self._batch_size)

    def _widen(self) -> None:
        """Take whole batches once what came back is through.

        Every crash of a process counts against all that it holds. What was given before may be what
        killed the one before us, so it is taken one by one: then nothing else dies with it.
        """
        if self._cautious and not all(message.delivery_info.get("redelivered") for message in self._mailbox.received):
            self._cautious = False
            self._mailbox.widen(self._batch_size)

    def _process(self) -> None:
        items = self._kept + list(self._parse(self._mailbox.take()))
        self._kept = []
        if len(items) < 2 or not self._process_together(items):
            self._process_singly(items)

    def _parse(self, messages: Iterable[Message]) -> Iterable[_Item]:
        for message in messages:
            try:
                envelope = load_message(message)
            except InvalidMessage as fault:
                self._graveyard.bury(message, fault)
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
                self._graveyard.bury(item.message, fault)
            except OUTAGES as fault:
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
        if self._queue.delivery_limit is not None and count >= self._queue.delivery_limit:
            # The broker would bury it at the next return, and has no place for our reason.
            self._graveyard.bury(item.message, fault)
            return
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


def load_message(message: Message) -> Envelope:
    """Return what a message brings.

    Raises:
        InvalidMessage: it is no envelope.
    """
    try:
        body = json.loads(body_of(message))
    except (ValueError, RecursionError) as fault:
        raise InvalidMessage(f"not JSON: {fault}") from fault
    return load_envelope(body)
