"""Messages that can never be applied go to their queue's dead letters, with the reason."""

from collections.abc import Iterable, Sequence

import structlog
from kombu.message import Message

from shared.config import Secret
from shared.messaging.confirms import ConfirmedChannel, Outgoing
from shared.messaging.mailbox import TIMEOUT_S
from shared.messaging.topology import DEAD_EXCHANGE

REASON_HEADER = "x-portus-reason"
"""On a dead letter: why. One whose consumers were killed too often has RabbitMQ's own headers only."""

LONGEST_REASON = 500
"""Characters of a reason that are kept."""

log = structlog.get_logger(__name__)


class Graveyard:
    """Where the dead letters of one queue go, and from where the living go back to it.

    Over a connection that is opened when it is first needed.
    """

    def __init__(self, broker_url: Secret, queue: str) -> None:
        self._broker_url = broker_url
        self._queue = queue
        self._channel: ConfirmedChannel | None = None

    def close(self) -> None:
        """Part from the broker."""
        if self._channel:
            self._channel.discard()

    def bury(self, message: Message, fault: Exception) -> None:
        """Let a message that was delivered be a dead letter."""
        if self.keep(message, body_of(message), fault):
            message.ack()
        else:
            message.reject()

    def keep(self, message: Message, body: bytes, fault: Exception) -> bool:
        """Make a dead letter of what a message carries, and tell whether it is kept; the message is left alone."""
        reason = f"{type(fault).__name__}: {fault}"[:LONGEST_REASON]
        log.error("consumer.delivery_rejected", queue=self._queue, reason=reason)
        # The broker's own dead-lettering has no place for our reason, so we publish the dead letter.
        headers = {**message.headers, REASON_HEADER: reason}
        letter = Outgoing(DEAD_EXCHANGE, self._queue, body, headers=headers)
        return self._send([letter])

    def spare(self, bodies: Iterable[bytes]) -> bool:
        """Put events back into the queue, each as a message of its own, and tell whether all are there."""
        return self._send([Outgoing("", self._queue, body) for body in bodies])

    def _send(self, messages: Sequence[Outgoing]) -> bool:
        self._channel = self._channel or ConfirmedChannel(self._broker_url, timeout_s=TIMEOUT_S)
        self._channel.send(messages)
        return all(message.fault is None for message in messages)


def body_of(message: Message) -> bytes:
    """Return a message's bytes, as they were published."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body or b"")
