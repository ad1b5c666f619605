"""Consuming a queue in batches: acknowledged after the handler has committed, and never before.

What it means when a handler fails for a single delivery:

* ``InvalidMessage`` or ``Rejected``: it can never be applied and goes to the dead letters at once.
* ``Unavailable``, ``PublishError``, or a database that does not answer: that is no fault of the
  message. It is kept and given again, however long it takes.
* anything else: it is given again a little later, and is a dead letter with the last reason after the
  queue's limit.

A batch that fails is given again one delivery at a time, so that a bad one takes no neighbour with it, nor those
that came in the same message (``bundles``): it goes back to the queue as a message of its own, and so does each
event of a message that came back.
"""

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
from shared.messaging.bundles import dump, unbundle
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


@dataclass(eq=False, slots=True)
class _Carrier:
    """A message that was delivered, and what became of the events that it carries."""

    message: Message
    size: int
    """How many it carries."""
    left: int
    """How many are not settled."""
    is_again: bool = False
    """Whether it has to be given again."""

    @property
    def is_done(self) -> bool:
        return not self.left and not self.is_again

    def body_of(self, event: object) -> bytes:
        """Return what is buried of an event: the message as it was published, or this part of it."""
        return body_of(self.message) if self.size == 1 else dump(event)


@dataclass(frozen=True, slots=True)
class _Item:
    carrier: _Carrier
    event: object
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
        batch_size: also how many messages are held at once.
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
        self._open = set[_Carrier]()
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
            self._process(stop)
        self._mailbox.cancel()
        self._process(stop)
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

    def _process(self, stop: threading.Event) -> None:
        items = self._kept + list(self._parse(self._mailbox.take()))
        self._kept = []
        handled = False
        # Messages that several events share hold many batches. Who is told to stop finishes one of them.
        while items and not self._kept and not (handled and stop.is_set()):
            handled = True
            self._mailbox.beat()
            batch, items = items[: self._batch_size], items[self._batch_size :]
            if len(batch) < 2 or not self._process_together(batch):
                self._process_singly(batch)
        self._kept += items

    def _parse(self, messages: Iterable[Message]) -> Iterable[_Item]:
        for message in messages:
            try:
                events = unbundle(body_of(message))
            except InvalidMessage as fault:
                self._graveyard.bury(message, fault)
                continue
            redelivered = bool(message.delivery_info.get("redelivered"))
            if redelivered and len(events) > 1 and self._graveyard.spare(map(dump, events)):
                # One of them may be what killed the one before us: each comes again by itself.
                message.ack()
                continue
            carrier = _Carrier(message, len(events), len(events))
            self._open.add(carrier)
            for event in events:
                try:
                    delivery = Delivery(load_envelope(event), redelivered)
                except InvalidMessage as fault:
                    self._bury(carrier, event, fault)
                else:
                    yield _Item(carrier, event, delivery)

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
                self._bury(item.carrier, item.event, fault)
            except OUTAGES as fault:
                # To the end with it: should this one be to blame after all, the others get past it.
                self._wait([*items[position + 1 :], item], fault)
                return
            except Exception as fault:  # noqa: BLE001 (the fault is the handler's; the queue must go on)
                self._fail(item, fault)
            else:
                self._waiting = False
                self._settle(item.carrier)

    def _acknowledge_all(self, items: list[_Item]) -> None:
        self._waiting = False
        for item in items:
            item.carrier.left -= 1
        if not self._failed and all(carrier.is_done for carrier in self._open):
            newest = max((carrier.message for carrier in self._open), key=lambda message: int(message.delivery_tag))
            newest.ack(multiple=True)
            self._open.clear()
        else:
            # Some are older and not done, so one acknowledgement cannot stand for all.
            for carrier in dict.fromkeys(item.carrier for item in items):
                self._finish(carrier)

    def _settle(self, carrier: _Carrier) -> None:
        """Note that an event of a message is done with, or waits to be given again."""
        carrier.left -= 1
        self._finish(carrier)

    def _finish(self, carrier: _Carrier) -> None:
        if carrier.left:
            return
        self._open.discard(carrier)
        if carrier.is_done:
            carrier.message.ack()
        else:
            pause_s = min(RETRY_PAUSE_S * 2 ** _count_of(carrier.message), LONGEST_RETRY_PAUSE_S)
            self._failed.append((time.monotonic() + pause_s, carrier.message))

    def _bury(self, carrier: _Carrier, event: object, fault: Exception) -> None:
        """Let an event be a dead letter, and no other that came with it."""
        carrier.is_again |= not self._graveyard.keep(carrier.message, carrier.body_of(event), fault)
        self._settle(carrier)

    def _wait(self, items: list[_Item], fault: Exception) -> None:
        self._kept = items
        if not self._waiting:
            self._waiting = True
            log.warning("consumer.waiting", queue=self._queue.name, size=len(items), fault=str(fault))

    def _fail(self, item: _Item, fault: Exception) -> None:
        count = _count_of(item.carrier.message)
        identity = {"id": item.delivery.envelope.id, "type": item.delivery.envelope.type}
        log.error("consumer.delivery_failed", queue=self._queue.name, times=count + 1, exc_info=fault, **identity)
        if item.carrier.size == 1 and self._queue.delivery_limit is not None and count >= self._queue.delivery_limit:
            # The broker would bury it at the next return, and has no place for our reason.
            self._bury(item.carrier, item.event, fault)
            return
        # What came with others is given again without them, and tried as often as any.
        alone = item.carrier.size == 1 or not self._graveyard.spare([dump(item.event)])
        item.carrier.is_again |= alone
        self._settle(item.carrier)

    def _requeue_failed(self, now: float) -> None:
        waiting = []
        for due, message in self._failed:
            if due <= now:
                message.requeue()
            else:
                waiting.append((due, message))
        self._failed = waiting


def load_message(message: Message) -> Envelope:
    """Return what a message brings that carries one event.

    Raises:
        InvalidMessage: it is no envelope.
    """
    events = unbundle(body_of(message))
    if len(events) > 1:
        raise InvalidMessage("a bundle where one event is expected")
    return load_envelope(events[0])


def _count_of(message: Message) -> int:
    """Return how often a message came back before."""
    return int(message.headers.get("x-delivery-count", 0))
