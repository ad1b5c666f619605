"""A channel of the SQLite transport: the part of AMQP 0-9-1 that kombu and this package speak.

Publishes of a channel in confirm mode, acknowledgements and rejections are collected, and done in one
transaction when the connection is drained: one wait for the disk for many messages.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from amqp.exceptions import ChannelError, NoConsumers, NotFound, ResourceError
from amqp.protocol import queue_declare_ok_t
from kombu.message import Message
from kombu.transport.base import StdChannel

from shared.messaging.sqlite_file import SqliteFile
from shared.messaging.sqlite_leases import SqliteLeases, Taken
from shared.messaging.sqlite_queues import Fate, Letter, QueueLimits, SqliteQueues, UnknownExchange

MOST_UNACKNOWLEDGED = 1000
"""What a channel without a prefetch count may hold."""


class Session(Protocol):
    """The connection that a channel belongs to."""

    client: Any
    """The ``kombu.Connection``."""
    file: SqliteFile
    lease_s: float

    def forget(self, channel: "Channel") -> None: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A publisher's message."""

    body: bytes
    properties: Mapping[str, Any]
    headers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Outgoing:
    tag: int
    letter: Letter
    mandatory: bool
    message: Prepared


class Channel(StdChannel):
    """See the module; methods and arguments are those of py-amqp's channel."""

    def __init__(self, session: Session) -> None:
        self.connection: Session | None = session
        self.events: dict[str, set[Callable[..., None]]] = defaultdict(set)
        self.holder = secrets.token_hex(8)
        self._session = session
        self._queues = SqliteQueues(session.file.connection)
        self._leases = SqliteLeases(session.file.connection)
        self._confirming = False
        self._outgoing: list[_Outgoing] = []
        self._published = 0
        self._consumers: dict[str, tuple[str, Callable[[Any], None]]] = {}
        self._prefetch_count = 0
        self._delivered = 0
        self._held: dict[int, Taken] = {}
        self._settled: dict[Callable[[str, list[Taken]], None], list[Taken]] = defaultdict(list)

    # Declaring.

    def exchange_declare(self, exchange: str, type: str, passive: bool = False, **_options: Any) -> None:
        if passive and not self._queues.has_exchange(exchange):
            raise NotFound(f"no exchange {exchange!r}", (40, 10))
        if not passive:
            with self._session.file.write():
                self._queues.declare_exchange(exchange, type)

    def queue_declare(
        self, queue: str, passive: bool = False, arguments: Mapping[str, Any] | None = None, **_options: Any
    ) -> queue_declare_ok_t:
        if not passive:
            with self._session.file.write():
                self._queues.declare_queue(queue, _limits(arguments or {}))
        return queue_declare_ok_t(queue, self._length(queue), 0)

    def queue_bind(self, queue: str, exchange: str = "", routing_key: str = "", **_options: Any) -> None:
        with self._session.file.write():
            self._queues.bind(queue, exchange, routing_key)

    def queue_purge(self, queue: str, **_options: Any) -> int:
        with self._session.file.write():
            return self._queues.purge(queue)

    def _length(self, queue: str) -> int:
        length = self._queues.length(queue)
        if length is None:
            raise NotFound(f"no queue {queue!r}", (50, 10))
        return length

    # Publishing.

    def confirm_select(self, nowait: bool = False) -> None:
        self._confirming = True

    def prepare_message(
        self,
        body: bytes | str,
        priority: int | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        headers: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> Prepared:
        kind = {"content_type": content_type, "content_encoding": content_encoding, "priority": priority}
        known = {name: value for name, value in kind.items() if value is not None}
        return Prepared(body.encode() if isinstance(body, str) else body, known | dict(properties or {}), headers or {})

    def basic_publish(
        self, message: Prepared, exchange: str = "", routing_key: str = "", mandatory: bool = False, **_options: Any
    ) -> None:
        letter = Letter(exchange, routing_key, message.properties, message.headers, message.body)
        self._published += 1
        self._outgoing.append(_Outgoing(self._published, letter, mandatory, message))
        if not self._confirming:
            self.flush()

    def flush(self) -> bool:
        """Store what was published and tell its fate; return whether there was anything."""
        outgoing, self._outgoing = self._outgoing, []
        if not outgoing:
            return False
        try:
            with self._session.file.write():
                fates = self._queues.publish([each.letter for each in outgoing])
        except UnknownExchange as fault:
            raise NotFound(f"no exchange {str(fault)!r}", (60, 40)) from fault
        for each, fate in zip(outgoing, fates, strict=True):
            self._tell(each, fate)
        return True

    def _tell(self, outgoing: _Outgoing, fate: Fate) -> None:
        if fate is Fate.UNROUTED and outgoing.mandatory:
            fault = NoConsumers("NO_ROUTE", (60, 50), reply_code=312)
            self._emit("basic_return", fault, outgoing.letter.exchange, outgoing.letter.routing_key, outgoing.message)
        if fate is Fate.REFUSED:
            self._emit("basic_nack", ResourceError("queue is full", (60, 120)), outgoing.tag, False)
        elif self._confirming:
            self._emit("basic_ack", None, outgoing.tag, False)

    def _emit(self, event: str, fault: ChannelError | None, *details: Any) -> None:
        listeners = self.events[event]
        if fault and not listeners:
            raise fault
        for listener in listeners:
            listener(*((fault, *details) if event == "basic_return" else details))

    # Consuming.

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, a_global: bool = False) -> None:
        self._prefetch_count = prefetch_count

    def basic_consume(
        self,
        queue: str,
        no_ack: bool = False,
        consumer_tag: str = "",
        callback: Callable[[Any], None] = lambda _: None,
        **_options: Any,
    ) -> str:
        if no_ack:
            raise NotImplementedError("every delivery of this transport wants to be acknowledged")
        self._length(queue)
        tag = consumer_tag or secrets.token_hex(8)
        self._consumers[tag] = (queue, callback)
        return tag

    def basic_cancel(self, consumer_tag: str, **_options: Any) -> None:
        self._consumers.pop(consumer_tag, None)

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        tags = [tag for tag in self._held if tag <= delivery_tag] if multiple else [delivery_tag]
        self._settle(self._leases.acknowledge, tags)

    def basic_reject(self, delivery_tag: int, requeue: bool = False) -> None:
        self._settle(self._leases.requeue if requeue else self._leases.reject, [delivery_tag])

    def message_to_python(self, raw_message: Message) -> Message:
        return raw_message

    @property
    def holds(self) -> bool:
        """Whether anything is delivered here and not settled: the lease then wants to be renewed."""
        return bool(self._held or self._settled)

    def deliver(self) -> bool:
        """Write down what was settled and hand out what is there; return whether anything was handed out."""
        deliveries = self._exchange()
        for consumer, callback, delivery in deliveries:
            self._delivered += 1
            self._held[self._delivered] = delivery
            callback(_message(self, self._delivered, consumer, delivery))
        return bool(deliveries)

    def close(self) -> None:
        """Write down what was settled and give back the rest, at once."""
        if self.connection is None:
            return
        self.connection = None
        self._session.forget(self)
        if self.holds:
            with self._session.file.write():
                self._write_settled()
                self._leases.dismiss(self.holder)

    def _settle(self, how: Callable[[str, list[Taken]], None], tags: list[int]) -> None:
        self._settled[how].extend(self._held.pop(tag) for tag in tags)

    def _exchange(self) -> list[tuple[str, Callable[[Any], None], Taken]]:
        room = (self._prefetch_count or MOST_UNACKNOWLEDGED) - len(self._held)
        hungry = [each for each in self._consumers.items() if room > 0 and self._leases.has_work(each[1][0])]
        if not hungry and not self._settled:
            return []
        found = []
        with self._session.file.write():
            self._write_settled()
            for consumer, (queue, callback) in hungry:
                taken = self._leases.take(self.holder, queue, limit=room, lease_s=self._session.lease_s)
                found += [(consumer, callback, delivery) for delivery in taken]
                room -= len(taken)
        self._settled.clear()
        return found

    def _write_settled(self) -> None:
        for how, deliveries in self._settled.items():
            how(self.holder, deliveries)


def _limits(arguments: Mapping[str, Any]) -> QueueLimits:
    return QueueLimits(
        delivery_limit=arguments.get("x-delivery-limit"),
        max_length=arguments.get("x-max-length"),
        dead_letter_exchange=arguments.get("x-dead-letter-exchange"),
        dead_letter_routing_key=arguments.get("x-dead-letter-routing-key"),
    )


def _message(channel: Channel, tag: int, consumer: str, delivery: Taken) -> Message:
    # A quorum queue counts past deliveries in this header, and leaves it out at the first.
    counted = {"x-delivery-count": delivery.deliveries - 1} if delivery.deliveries > 1 else {}
    return Message(
        body=delivery.body,
        channel=channel,
        delivery_tag=tag,
        content_type=delivery.properties.get("content_type"),
        content_encoding=delivery.properties.get("content_encoding"),
        delivery_info={
            "consumer_tag": consumer,
            "delivery_tag": tag,
            "redelivered": delivery.deliveries > 1,
            "exchange": delivery.exchange,
            "routing_key": delivery.routing_key,
        },
        headers=delivery.headers | counted,
        properties=delivery.properties,
    )
