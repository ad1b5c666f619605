"""Publishing events: a call returns when the broker has them on disk, or says which it does not have."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from amqp.exceptions import AMQPError

from shared.combining import Combined
from shared.config import Secret
from shared.contracts.events import EXCHANGE, Envelope, dump_envelope
from shared.messaging.bundles import bundle
from shared.messaging.confirms import ConfirmedChannel, Outgoing
from shared.messaging.connections import BROKER_FAULTS, describe_broker, explain_fault

BACK_OFF_S = 1.0
"""How long a broker that failed is not asked again: callers are then refused at once."""

MOST_TOGETHER = 1000
"""Callers whose events are sent together."""

log = structlog.get_logger(__name__)


class PublishError(Exception):
    """Not every event was confirmed.

    Args:
        unconfirmed: those that may be lost; some of them may have arrived all the same.
        reason: why, for the first of them.
    """

    def __init__(self, unconfirmed: Sequence[Envelope], reason: str) -> None:
        super().__init__(f"{len(unconfirmed)} events are not confirmed: {reason}")
        self.unconfirmed = tuple(unconfirmed)


class Publisher:
    """Publishes for all threads of a process over one connection, opened when it is first needed.

    Whoever comes first speaks for all who wait: their events share a window, or a transaction, so that
    many callers with one event each are served as fast as one caller with many.

    Args:
        broker_url: see ``open_connection``.
        timeout_s: how long a caller waits for others to be served, and then for each 100 messages.
        bundles: whether events may share a message; not for tasks, each of which may be another worker's.
    """

    def __init__(self, broker_url: Secret, *, timeout_s: float = 2.0, bundles: bool = False) -> None:
        self._broker_url = broker_url
        self._timeout_s = timeout_s
        self._bundles = bundles
        self._channel: ConfirmedChannel | None = None
        self._away_until = 0.0
        self._turn = threading.Lock()
        self._combined = Combined(self._send_all, limit=MOST_TOGETHER)

    def publish(self, envelopes: Sequence[Envelope], *, mandatory: bool = True) -> None:
        """Return when every event is confirmed durable.

        Args:
            envelopes: any number.
            mandatory: whether it is a fault if no queue is bound for an event; ``False``: confirmed and dropped.

        Raises:
            PublishError: some are not confirmed; it names them.
        """
        if not envelopes:
            return
        messages = [_outgoing(envelope, mandatory) for envelope in envelopes]
        # Those that are not served in time are not confirmed.
        with suppress(TimeoutError):
            self._combined.do(messages, patience_s=self._timeout_s)
        faulty = [(envelope, one.fault) for envelope, one in zip(envelopes, messages, strict=True) if one.fault]
        if faulty:
            raise PublishError([envelope for envelope, _ in faulty], faulty[0][1] or "")

    def close(self) -> None:
        """Part from the broker; a later ``publish`` connects again."""
        with self._turn:
            channel, self._channel = self._channel, None
            if channel is not None:
                with suppress(*BROKER_FAULTS):
                    channel.close()

    def _send_all(self, calls: Sequence[Sequence[Outgoing]]) -> Sequence[None]:
        messages = [message for call in calls for message in call]
        with self._turn:
            if self._bundles:
                self._send_bundled(messages)
            else:
                self._send(messages)
        return [None] * len(calls)

    def _send_bundled(self, messages: Sequence[Outgoing]) -> None:
        bundles = list(bundle(messages))
        self._send([carrier for carrier, _ in bundles])
        for carrier, parts in bundles:
            for part in parts:
                part.fault = carrier.fault

    def _send(self, messages: list[Outgoing]) -> None:
        if time.monotonic() < self._away_until:
            _give_up(messages, "the broker was away a moment ago")
            return
        try:
            self._send_over(messages)
        except BROKER_FAULTS as fault:
            self._away_until = time.monotonic() + BACK_OFF_S
            log.warning("messaging.not_published", broker=describe_broker(self._broker_url), fault=explain_fault(fault))
            _give_up(messages, explain_fault(fault))

    def _send_over(self, messages: list[Outgoing]) -> None:
        reused = self._channel is not None
        try:
            self._send_once(messages)
        except TimeoutError:
            raise
        except (OSError, AMQPError):
            # A connection that died while nobody used it costs no caller an error.
            if not reused:
                raise
            self._send_once([message for message in messages if message.fault])

    def _send_once(self, messages: list[Outgoing]) -> None:
        channel = self._channel or ConfirmedChannel(self._broker_url, timeout_s=self._timeout_s)
        self._channel = None
        try:
            channel.send(messages)
            self._channel = channel
        finally:
            # After any exception a confirm that is still to come must find nobody who believes it.
            if self._channel is None:
                channel.discard()


def _outgoing(envelope: Envelope, mandatory: bool) -> Outgoing:
    body = json.dumps(dump_envelope(envelope)).encode()
    return Outgoing(EXCHANGE, envelope.type, body, mandatory)


def _give_up(messages: list[Outgoing], reason: str) -> None:
    for message in messages:
        if message.fault:
            message.fault = reason
