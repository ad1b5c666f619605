"""Dead letters on their way: out of ``<queue>.dead`` to somebody who keeps them, and back to their queue."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from kombu.message import Message

from shared.config import Secret
from shared.database import DATABASE_AWAY
from shared.messaging.bundles import split
from shared.messaging.confirms import ConfirmedChannel, Outgoing
from shared.messaging.connections import BROKER_FAULTS, explain_fault
from shared.messaging.consumer import Unavailable
from shared.messaging.graveyard import REASON_HEADER, body_of
from shared.messaging.mailbox import TIMEOUT_S, Mailbox, keep_connected
from shared.messaging.topology import QueueSpec

RETRY_PAUSE_S = 2.0
"""How long letters are held before they are offered again to a keeper that could not take them."""

_DEATHS = {
    "delivery_limit": "its consumers were killed, or lost the broker, again and again",
    "rejected": "its consumer rejected it",
    "maxlen": "its queue was full",
    "expired": "it waited for too long",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be applied."""

    queue: str
    """Where it died, and where it goes when it is tried again."""
    body: bytes
    """As it was published, whatever that is."""
    reason: str


KeepLetters = Callable[[Sequence[DeadLetter]], None]
"""Returns when the letters are kept for good; the same letter may come twice.

Raises:
    Unavailable: there is no room for them now.
"""


def consume_dead_letters(
    broker_url: Secret, queue: QueueSpec, keep: KeepLetters, *, stop: threading.Event, batch_size: int = 100
) -> None:
    """Hand a queue's dead letters to a keeper until told to stop.

    Args:
        queue: whose dead letters; must have been declared.
        keep: commits before it returns.
        batch_size: letters handed over, and held, at once.
    """

    def work(mailbox: Mailbox) -> None:
        _hand_over(mailbox, queue.name, keep, stop, batch_size)

    keep_connected(broker_url, queue.dead_name, work, stop=stop, prefetch_count=batch_size)


def _hand_over(mailbox: Mailbox, queue: str, keep: KeepLetters, stop: threading.Event, batch_size: int) -> None:
    held, not_before_s = list[Message](), 0.0
    while not stop.is_set():
        mailbox.beat()
        if mailbox.wait():
            mailbox.gather(batch_size)
        held += mailbox.take()
        if not held or time.monotonic() < not_before_s:
            continue
        try:
            keep([letter for message in held for letter in _letters(queue, message)])
        except (Unavailable, *DATABASE_AWAY) as fault:
            log.warning("dead_letters.waiting", queue=queue, size=len(held), fault=type(fault).__name__)
            not_before_s = time.monotonic() + RETRY_PAUSE_S
        else:
            for message in held:
                message.ack()
            held = []


def return_letters(broker_url: Secret, letters: Sequence[DeadLetter]) -> list[str | None]:
    """Publish letters to the queues that they died in, and to no other; return why each is not confirmed.

    Returns:
        ``None`` for a letter that its queue has; what is not confirmed may have arrived all the same.
    """
    outgoing = [Outgoing("", letter.queue, letter.body) for letter in letters]
    try:
        channel = ConfirmedChannel(broker_url, timeout_s=TIMEOUT_S)
        try:
            channel.send(outgoing)
        finally:
            channel.discard()
    except BROKER_FAULTS as fault:
        log.warning("dead_letters.not_returned", fault=explain_fault(fault))
    return [message.fault for message in outgoing]


def _letters(queue: str, message: Message) -> Iterator[DeadLetter]:
    # A bundle that killed its consumers: one event of it is to blame, and the others go back without it.
    for body in split(body_of(message)):
        yield DeadLetter(queue, body, _reason(message.headers or {}))


def _reason(headers: dict[str, Any]) -> str:
    if REASON_HEADER in headers:
        return str(headers[REASON_HEADER])
    death = str(headers.get("x-first-death-reason", "unknown"))
    return f"{death}: {_DEATHS[death]}" if death in _DEATHS else death
