"""``catalog.crawl-tasks``: repositories that a crawl asks any worker to read."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread

from services.catalog.usecases.read_for_crawl import TaskReader
from shared.config import Secret
from shared.contracts.events import Envelope, InvalidMessage, RepositoryCrawlRequested, load_data
from shared.database import DATABASE_AWAY
from shared.messaging.consumer import Delivery, Unavailable, consume
from shared.messaging.topology import CATALOG_CRAWL_TASKS
from shared.oci.names import InvalidName

LOOK_EVERY_S = 0.25
"""How often is looked whether a crawl has begun, or is over."""
TELL_EVERY_S = 30.0


def consume_crawl_tasks(broker_url: Secret, reader: TaskReader, *, threads: int, stop: Event) -> None:
    """Read repositories for crawls until told to stop.

    Args:
        threads: repositories that are read at the same time, each over a connection of its own, so that one that
            takes long holds no other up. There are none while no crawl is under way.
    """
    while not stop.wait(LOOK_EVERY_S):
        if _is_under_way(reader):
            _consume_until_over(broker_url, reader, threads=threads, stop=stop)


def _consume_until_over(broker_url: Secret, reader: TaskReader, *, threads: int, stop: Event) -> None:
    over = Event()

    def handle(deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            _read(reader, delivery.envelope)

    def work() -> None:
        consume(broker_url, CATALOG_CRAWL_TASKS, handle, stop=over, batch_size=1)

    consumers = [Thread(target=work, name=f"crawl-tasks-{number}") for number in range(threads)]
    for consumer in consumers:
        consumer.start()
    try:
        told_s = 0.0
        while not stop.wait(LOOK_EVERY_S) and _is_under_way(reader):
            told_s += LOOK_EVERY_S
            if told_s >= TELL_EVERY_S:
                told_s = 0.0
                with suppress(*DATABASE_AWAY):
                    reader.tell_if_reading()
    finally:
        over.set()
        for consumer in consumers:
            consumer.join()


def _is_under_way(reader: TaskReader) -> bool:
    try:
        return reader.find_run() is not None
    except DATABASE_AWAY:
        return False


def _read(reader: TaskReader, envelope: Envelope) -> None:
    task = load_data(RepositoryCrawlRequested, envelope.data)
    try:
        is_done = reader.read(task)
    except InvalidName as fault:
        raise InvalidMessage(str(fault)) from fault
    if not is_done:
        # Not acknowledged, so that another worker reads it.
        raise Unavailable("told to stop")
