"""Crawls that workers read for, by way of a broker."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from services.catalog.consumers.crawl_tasks import consume_crawl_tasks
from services.catalog.usecases.crawl_readers import NewReaders, SharedReaders
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.read_for_crawl import TaskReader
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from shared.messaging.publisher import Publisher
from shared.messaging.topology import CATALOG_CRAWL_TASKS, declare_topology


@contextmanager
def asking(broker_url: Secret, database: Database, stop: Event | None = None) -> Iterator[NewReaders]:
    """Make what a crawl asks workers with; there are none yet."""
    declare_topology(broker_url, [CATALOG_CRAWL_TASKS])
    publisher = Publisher(broker_url)

    def new_readers(crawl: int, run: str, rate: int) -> SharedReaders:
        return SharedReaders(
            crawl, run, rate, publish=publisher.publish, database=database, clock=utc_now, stop=stop or Event()
        )

    yield new_readers
    publisher.close()


@contextmanager
def working(broker_url: Secret, crawlers: Sequence[RepositoryCrawler], *, threads: int = 4) -> Iterator[None]:
    """Have a worker for each crawler read for crawls."""
    with ExitStack() as stack:
        for crawler in crawlers:
            stack.enter_context(_worker(broker_url, crawler, threads))
        yield


@contextmanager
def _worker(broker_url: Secret, crawler: RepositoryCrawler, threads: int) -> Iterator[None]:
    stop = Event()
    reader = TaskReader(lambda _rate: crawler, crawler.database, utc_now)
    options = {"threads": threads, "stop": stop}
    worker = Thread(target=consume_crawl_tasks, args=(broker_url, reader), kwargs=options)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()
