"""``catalog.crawl-tasks``: repositories that a crawl asks any worker to read."""

from contextlib import suppress
from threading import Event, Thread

from services.catalog.usecases.read_for_crawl import NobodyAsks, TaskReader
from shared.config import Secret
from shared.contracts.events import Envelope, InvalidMessage, RepositoryCrawlRequested, load_data
from shared.database import DATABASE_AWAY
from shared.messaging.consumer import Unavailable
from shared.messaging.tasks import LeftUndone, work_off
from shared.messaging.topology import CATALOG_CRAWL_TASKS
from shared.oci.names import InvalidName

LOOK_EVERY_S = 0.25
"""How often is looked whether a crawl has begun, or is over."""
TELL_EVERY_S = 30.0


def consume_crawl_tasks(broker_url: Secret, reader: TaskReader, *, threads: int, stop: Event) -> None:
    """Read repositories for crawls until told to stop; nothing is asked of the broker while no crawl is under way.

    Args:
        threads: repositories that are read at the same time.
    """
    ending: Thread | None = None
    while not stop.wait(LOOK_EVERY_S):
        if _is_under_way(reader):
            # What is still read for the run before, which nobody waits for, does not hold up the next one.
            ended = _read_until_over(broker_url, reader, threads=threads, stop=stop)
            _see_out(ending, reader)
            ending = ended
    _see_out(ending, reader)


def _read_until_over(broker_url: Secret, reader: TaskReader, *, threads: int, stop: Event) -> Thread:
    """Read for the crawls that are under way, and return the thread that ends what is still read after them."""
    over = Event()

    def handle(envelope: Envelope) -> None:
        _read(reader, envelope)

    def work() -> None:
        work_off(broker_url, CATALOG_CRAWL_TASKS, handle, threads=threads, stop=over)

    worker = Thread(target=work, name="crawl-tasks")
    worker.start()
    try:
        told_s = 0.0
        while not stop.wait(LOOK_EVERY_S) and _is_under_way(reader):
            told_s += LOOK_EVERY_S
            if told_s >= TELL_EVERY_S:
                told_s = 0.0
                _tell(reader)
    finally:
        over.set()
    return worker


def _see_out(worker: Thread | None, reader: TaskReader) -> None:
    while worker and worker.is_alive():
        worker.join(TELL_EVERY_S)
        _tell(reader)


def _tell(reader: TaskReader) -> None:
    with suppress(*DATABASE_AWAY):
        reader.tell_if_reading()


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
    except NobodyAsks as fault:
        raise Unavailable("no crawl is under way") from fault
    if not is_done:
        raise LeftUndone("told to stop")
