"""What a broker delivers of one queue, over one connection at a time."""

import threading
from collections.abc import Callable
from contextlib import suppress

import structlog
from kombu.entity import Queue
from kombu.message import Message
from kombu.messaging import Consumer

from shared.config import Secret
from shared.messaging.connections import BROKER_FAULTS, describe_broker, explain_fault, open_connection

TIMEOUT_S = 5.0
"""Limit of each wait for the broker's answer."""
HEARTBEAT_S = 20.0
"""A broker that is silent for twice as long is taken for dead."""
WAIT_S = 0.25
"""Longest wait for a message before looking whether to stop."""
GATHER_S = 0.003
"""A batch is closed when no further message arrives for this long."""
LONGEST_RECONNECT_PAUSE_S = 2.0

log = structlog.get_logger(__name__)


class Mailbox:
    """The deliveries of one connection's life; never more than its prefetch count are outstanding.

    Args:
        broker_url: see ``open_connection``.
        queue: must have been declared.
        prefetch_count: how many messages may be held at once.
    """

    def __init__(self, broker_url: Secret, queue: str, *, prefetch_count: int) -> None:
        self._received: list[Message] = []
        self._connection = open_connection(broker_url, timeout_s=TIMEOUT_S, heartbeat_s=HEARTBEAT_S)
        try:
            self._consumer = Consumer(
                self._connection.channel(),
                [Queue(queue, no_declare=True)],
                on_message=self._received.append,
                auto_declare=False,
                prefetch_count=prefetch_count,
            )
            self._consumer.consume()
        except BaseException:
            self._connection.collect()
            raise

    def __enter__(self) -> "Mailbox":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.release()
        else:
            self._connection.collect()

    @property
    def received(self) -> list[Message]:
        """What was delivered and not taken yet."""
        return self._received

    def beat(self) -> None:
        """Show the broker that we live, and notice when it does not."""
        self._connection.heartbeat_check()

    def wait(self, limit_s: float | None = None) -> bool:
        """Wait a moment for a delivery; tell whether one came.

        Args:
            limit_s: ``WAIT_S``, unless something else is said.
        """
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=WAIT_S if limit_s is None else limit_s)
            return True
        return False

    def gather(self, size: int) -> None:
        """Go on receiving until there are ``size`` or no more come."""
        with suppress(TimeoutError):
            while len(self._received) < size:
                self._connection.drain_events(timeout=GATHER_S)

    def take(self) -> list[Message]:
        """Take out what was delivered."""
        taken, self._received[:] = self._received[:], []
        return taken

    def widen(self, prefetch_count: int) -> None:
        """Let more messages be held at once, besides those that are held already."""
        self._consumer.cancel()
        self._consumer.qos(prefetch_count=prefetch_count)
        self._consumer.consume()

    def cancel(self) -> None:
        """Let nothing more come."""
        self._consumer.cancel()


def keep_connected(
    broker_url: Secret, queue: str, work: Callable[[Mailbox], None], *, stop: threading.Event, prefetch_count: int
) -> None:
    """Do work on a queue's deliveries until told to stop; connects again whenever the connection is lost.

    Args:
        work: returns when told to stop; what it raises ends the connection, and all it holds is given again.
    """
    failures = 0
    while not stop.is_set():
        try:
            with Mailbox(broker_url, queue, prefetch_count=prefetch_count) as mailbox:
                failures = 0
                work(mailbox)
        except Exception as fault:
            # The outermost loop of a consumer: py-amqp has more ways to say "gone" than it documents.
            unexpected = not isinstance(fault, BROKER_FAULTS)
            where, what = describe_broker(broker_url), explain_fault(fault)
            log.warning("consumer.disconnected", queue=queue, broker=where, fault=what, exc_info=unexpected)
            failures += 1
            stop.wait(min(0.1 * 2**failures, LONGEST_RECONNECT_PAUSE_S))
