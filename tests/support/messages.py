"""Envelopes, consumers in threads and consumers in processes, for tests of messaging."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.config import Secret
from shared.contracts.events import Envelope
from shared.messaging.consumer import Delivery, Handler, consume
from shared.messaging.publisher import Publisher
from shared.messaging.topology import CATALOG_NOTIFICATIONS, QueueSpec, queue_length
from tests.support.processes import Process


def make_envelope(id: str = "event-1", *, type: str = "registry.notification.v1", **data: Any) -> Envelope:
    """Return an envelope of a type that ``catalog.notifications`` is bound for."""
    time = datetime(2026, 11, 23, 12, tzinfo=UTC)
    return Envelope(id=id, source="registry/localhost:5000", type=type, time=time, data=data or {"action": "push"})


def make_envelopes(count: int, prefix: str = "event") -> list[Envelope]:
    return [make_envelope(f"{prefix}-{number:06}") for number in range(count)]


def publish(broker_url: Secret, envelopes: Sequence[Envelope]) -> None:
    """Publish with a publisher of its own."""
    publisher = Publisher(broker_url, timeout_s=10)
    publisher.publish(envelopes)
    publisher.close()


def count_messages(broker_url: Secret, queue: str) -> int:
    """Return how many messages wait in a queue, with patience for a busy machine."""
    return queue_length(broker_url, queue, timeout_s=20)


@contextmanager
def consuming(
    broker_url: Secret, handle: Handler, *, queue: QueueSpec = CATALOG_NOTIFICATIONS, batch_size: int = 100
) -> Iterator[threading.Event]:
    """Consume in a thread for the length of a ``with``."""
    stop = threading.Event()
    options = {"stop": stop, "batch_size": batch_size}
    thread = threading.Thread(target=consume, args=(broker_url, queue, handle), kwargs=options, daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive(), "the consumer did not stop"


class Collector:
    """A handler that remembers the ids it was given, in order."""

    def __init__(self, before: Callable[[Sequence[Delivery]], None] = lambda _: None) -> None:
        self.ids: list[str] = []
        self.deliveries: list[Delivery] = []
        self._before = before

    def __call__(self, deliveries: Sequence[Delivery]) -> None:
        self._before(deliveries)
        self.deliveries += deliveries
        self.ids += [delivery.envelope.id for delivery in deliveries]


def start_consumer_process(broker_url: Secret, output: Path, *, hold: bool = False, dies_of: str = "") -> Process:
    """Start a consumer that writes each id to a file.

    Args:
        hold: it never finishes its first batch.
        dies_of: an id that ends the process at once, without any cleaning up.
    """
    command = [
        sys.executable,
        "-m",
        "tests.support.messages",
        broker_url.reveal(),
        str(output),
        str(int(hold)),
        dies_of,
    ]
    return Process(command, log=output.with_suffix(".log"))


def read_ids(output: Path) -> list[str]:
    return output.read_text().split() if output.exists() else []


def main(broker_url: str, output: Path, hold: bool, dies_of: str) -> None:
    def handle(deliveries: Sequence[Delivery]) -> None:
        if dies_of in [delivery.envelope.id for delivery in deliveries]:
            os._exit(9)
        with output.open("a") as file:
            file.writelines(f"{delivery.envelope.id}\n" for delivery in deliveries)
        if hold:
            time.sleep(3600)

    consume(Secret(broker_url), CATALOG_NOTIFICATIONS, handle, stop=threading.Event())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "1", sys.argv[4])
