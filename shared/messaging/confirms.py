"""Publishing with confirms that are believed: each names a delivery tag, and we keep the list.

kombu's own ``confirm_publish`` takes any confirm on the channel for the one it waits for, so that after
a time-out a message that the broker refused was reported as stored.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.config import Secret
from shared.messaging.connections import open_connection

WINDOW = 100
"""Messages on their way at once; a window has the channel's time limit."""
PERSISTENT = 2
CONTENT_TYPE = "application/cloudevents+json"


@dataclass(slots=True, eq=False)
class Outgoing:
    """A message to be published."""

    exchange: str
    routing_key: str
    body: bytes
    mandatory: bool = True
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = CONTENT_TYPE
    fault: str | None = "the broker has not confirmed it"
    """Why it is not confirmed; ``None`` once it is."""


class ConfirmedChannel:
    """A connection of its own with one channel in confirm mode; used by one thread at a time.

    After any exception it must be discarded: what arrives later belongs to what was given up.

    Args:
        broker_url: see ``open_connection``.
        timeout_s: limit for opening, and for each window of messages.

    Raises:
        BROKER_FAULTS: the broker is away or refuses us.
    """

    def __init__(self, broker_url: Secret, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._sent = 0
        self._pending: dict[int, Outgoing] = {}
        self._connection = open_connection(broker_url, timeout_s=timeout_s)
        try:
            self._channel: Any = self._connection.channel()
            self._channel.confirm_select()
        except BaseException:
            self.discard()
            raise
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Publish messages and set the ``fault`` of each to what the broker said.

        Raises:
            BROKER_FAULTS: it did not say everything; what was confirmed before counts.
        """
        for start in range(0, len(messages), WINDOW):
            self._send_window(messages[start : start + WINDOW])

    def close(self) -> None:
        """Part from the broker in order."""
        self._connection.release()

    def discard(self) -> None:
        """Drop the connection without a word."""
        self._connection.collect()

    def _send_window(self, window: Sequence[Outgoing]) -> None:
        deadline = time.monotonic() + self._timeout_s
        for message in window:
            self._sent += 1
            self._pending[self._sent] = message
            self._channel.basic_publish(
                self._prepare(message, tag=self._sent),
                exchange=message.exchange,
                routing_key=message.routing_key,
                mandatory=message.mandatory,
                timeout=_seconds_left(deadline),
            )
        while self._pending:
            self._connection.drain_events(timeout=_seconds_left(deadline))

    def _prepare(self, message: Outgoing, *, tag: int) -> Any:
        # A return names no delivery tag, so the message carries its own.
        properties = {"delivery_mode": PERSISTENT, "correlation_id": str(tag)}
        return self._channel.prepare_message(
            message.body,
            content_type=message.content_type,
            content_encoding="utf-8",
            headers=dict(message.headers),
            properties=properties,
        )

    def _on_return(self, _fault: Exception, _exchange: str, routing_key: str, returned: Any) -> None:
        # The confirm follows; a returned message stays faulty through it.
        message = self._pending.pop(int(returned.properties["correlation_id"]))
        message.fault = f"no queue is bound for {routing_key!r}: run the command 'topology'"

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for message in self._settled(tag, multiple):
            message.fault = None

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for message in self._settled(tag, multiple):
            message.fault = "the broker refused it: a queue is full"

    def _settled(self, tag: int, multiple: bool) -> list[Outgoing]:
        tags = [each for each in self._pending if each <= tag] if multiple else [tag]
        return [self._pending.pop(each) for each in tags if each in self._pending]


def _seconds_left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("not confirmed in time")
    return left_s
