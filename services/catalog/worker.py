"""The catalogue's background work: notifications, the outbox, fetches, crawls, housekeeping.

Each task has a thread of its own. They stop together, and one that dies ends the process.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import cache
from threading import Event
from uuid import uuid4

import structlog

from services.catalog.app import (
    new_counters,
    new_fetcher,
    new_namespaces,
    new_registry,
)
from services.catalog.clients.metrics import DeliveryCounters
from services.catalog.clients.paced import PacedRegistry
from services.catalog.consumers.crawl_tasks import consume_crawl_tasks
from services.catalog.consumers.notifications import consume_notifications
from services.catalog.consumers.push_grants import consume_push_grants
from services.catalog.domain.rounds import CrawlKind
from services.catalog.repeating import repeat
from services.catalog.scan_worker import scan_tasks
from services.catalog.settings import Settings
from services.catalog.storage.tables import outbox
from services.catalog.usecases.count_deliveries import count_deliveries
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_readers import NewReaders, SharedReaders, TasksNotTaken
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.finish_deletions import finish_deletions
from services.catalog.usecases.immutability import undo_overwrite
from services.catalog.usecases.kept_lease import LeaseLost
from services.catalog.usecases.purge_history import purge_history
from services.catalog.usecases.push_grants import settle_push_grants
from services.catalog.usecases.read_for_crawl import TaskReader
from services.catalog.usecases.registry import Registry, RegistryError, RegistryUnavailable, WritableRegistry
from services.catalog.usecases.repair_losses import close_windows_covered_by, repair_losses
from services.catalog.usecases.restore_tag import TagRestorer
from services.catalog.usecases.retention import keep_environment_rule
from services.catalog.usecases.retry_fetches import retry_fetches
from services.catalog.usecases.rounds import find_due_crawl
from services.catalog.usecases.run_retention import look_at, run_retention
from services.catalog.usecases.shared_pace import SharedPace
from shared.clock import utc_now
from shared.commands import Task, run_tasks
from shared.contracts.events import Envelope
from shared.database import Database
from shared.messaging.outbox import relay_outbox
from shared.messaging.publisher import Publisher, PublishError

RETRY_IDLE_S = 0.5
"""How often is looked for manifests to fetch."""
PURGE_EVERY_S = 600.0
LOSS_IDLE_S = 2.0
"""How often is looked for loss windows that are to be worked off."""
RETENTION_IDLE_S = 5.0
"""How often is looked for a run of a retention rule that is due."""
DELETIONS_IDLE_S = 10.0
"""How often is looked for deletions that broke off half-way."""
OVERWRITES_IDLE_S = 2.0
"""How often is looked for tags that are to be put back."""
RETENTION_PAUSE_S = 60.0
SETTLE_EVERY_S = 10.0
COUNT_EVERY_S = 30.0
"""How often the registry's own count is read."""
CRAWL_IDLE_S = 2.0
"""How often is looked for a crawl that is due."""
CRAWL_PAUSE_S = 2.0
LONGEST_CRAWL_PAUSE_S = 600.0
OTHER_TASKS = 16
"""What needs a connection besides the threads of a crawl."""

log = structlog.get_logger(__name__)


def run_worker(settings: Settings, stop: Event) -> None:
    """Do all background work until told to stop.

    Raises:
        SystemExit: a task has died.
    """
    database, registry = _new_database(settings), new_registry(settings)
    tasks: dict[str, Task] = {
        "notifications": lambda stop: _consume(settings, database, registry, stop),
        "outbox": lambda stop: _relay(settings, database, stop),
        "fetches": lambda stop: _retry(database, registry, stop),
        "housekeeping": lambda stop: _purge(settings, database, stop),
    }
    tasks |= _loss_tasks(settings, database, registry)
    keep_environment_rule(settings.garbage_collector, database=database, clock=utc_now)
    tasks["retention"] = lambda stop: _retain(settings, database, new_registry(settings), stop)
    tasks["deletions"] = lambda stop: _finish_deletions(database, new_registry(settings), stop)
    tasks["overwrites"] = lambda stop: _undo_overwrites(database, new_registry(settings), stop)
    tasks["crawls"] = lambda stop: _crawl_always(settings, database, registry, stop)
    tasks["crawl-tasks"] = lambda stop: _read_for_crawls(settings, database, registry, stop)
    if settings.scanner:
        tasks |= scan_tasks(settings, settings.scanner, database)
    run_tasks(tasks, stop)


def _loss_tasks(settings: Settings, database: Database, registry: Registry) -> dict[str, Task]:
    tasks: dict[str, Task] = {
        "push-grants": lambda stop: consume_push_grants(
            settings.broker_url, database=database, clock=utc_now, stop=stop
        ),
        "silent-pushes": lambda stop: _settle_grants(settings, database, stop),
        "losses": lambda stop: _repair(settings, database, registry, stop),
    }
    counters = new_counters(settings)
    if counters:
        tasks["deliveries"] = lambda stop: _count_deliveries(settings, counters, database, stop)
    return tasks


def crawl_now(settings: Settings, stop: Event, *, light: bool = False) -> CrawlReport | None:
    """Crawl once in the foreground, without a broker; ``None`` when another worker is crawling.

    Args:
        light: look only at what has changed, and at a share of all else.

    Raises:
        RegistryError: the registry's catalogue could not be read.
    """
    database, registry = _new_database(settings), new_registry(settings)
    kind = CrawlKind.ROUND if light else CrawlKind.FULL
    # Somebody waits for it.
    plan = _plan(settings, kind, rate=settings.crawl_rate if light else 0)
    report = _crawl(settings, plan, database, registry, stop)
    if report and report.finished and kind.is_deep and not report.kind.is_deep:
        # That was a round which somebody had begun.
        report = _crawl(settings, plan, database, registry, stop)
    return report


def _new_database(settings: Settings) -> Database:
    scans = settings.scanner.concurrency + 1 if settings.scanner else 0
    return Database(settings.database_url.reveal(), pool_size=settings.crawl_threads + scans + OTHER_TASKS)


def _consume(settings: Settings, database: Database, registry: Registry, stop: Event) -> None:
    with closing(new_fetcher(registry, database)) as fetcher:
        consume_notifications(settings.broker_url, database=database, fetcher=fetcher, clock=utc_now, stop=stop)


def _relay(settings: Settings, database: Database, stop: Event) -> None:
    with closing(Publisher(settings.broker_url)) as publisher:
        relay_outbox(database, outbox, publisher, stop=stop)


def _retry(database: Database, registry: Registry, stop: Event) -> None:
    with closing(new_fetcher(registry, database)) as fetcher:

        def work() -> float:
            tried = retry_fetches(database=database, fetcher=fetcher, clock=utc_now)
            return 0 if tried else RETRY_IDLE_S

        repeat(work, stop)


def _purge(settings: Settings, database: Database, stop: Event) -> None:
    def work() -> float:
        purged = purge_history(database=database, clock=utc_now, tag_history=settings.tag_history)
        return RETRY_IDLE_S if purged else PURGE_EVERY_S

    repeat(work, stop)


def _crawl_always(settings: Settings, database: Database, registry: Registry, stop: Event) -> None:
    """Do the crawl that is due, whenever one is; after one that failed with growing pauses."""
    started_at, failures = utc_now(), 0

    def work() -> float:
        nonlocal failures
        kind = find_due_crawl(
            settings.rhythm, first=settings.crawl_on_empty, started_at=started_at, database=database, clock=utc_now
        )
        if kind is None:
            failures = 0
            return CRAWL_IDLE_S
        try:
            with closing(Publisher(settings.broker_url)) as publisher:
                readers = _shared_readers(publisher, database, stop)
                rate = 0 if kind is CrawlKind.FIRST else settings.crawl_rate
                _crawl(settings, _plan(settings, kind, readers, rate=rate), database, registry, stop)
        except (RegistryError, LeaseLost, TasksNotTaken) as fault:
            log.warning("crawl.postponed", fault=str(fault))
        failures += 1
        return min(CRAWL_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_CRAWL_PAUSE_S)

    repeat(work, stop)


def _plan(settings: Settings, kind: CrawlKind, new_readers: NewReaders | None = None, *, rate: int) -> CrawlPlan:
    return CrawlPlan(
        kind,
        removes=settings.rhythm.strategy.removes,
        share=settings.rhythm.share,
        verify_within=settings.rhythm.verify_within,
        unknown_namespaces=new_namespaces(settings).find_unknown,
        threads=settings.crawl_threads,
        new_readers=new_readers,
        rate=rate,
    )


def _crawl(
    settings: Settings, plan: CrawlPlan, database: Database, registry: Registry, stop: Event
) -> CrawlReport | None:
    started_at = utc_now()
    registry = _paced(registry, plan.rate, database, stop)
    with closing(new_fetcher(registry, database)) as fetcher:
        crawler = RepositoryCrawler(database, registry, fetcher, utc_now, stop)
        report = crawl_registry(crawler, holder=uuid4().hex, database=database, clock=utc_now, plan=plan)
    if report:
        close_windows_covered_by(report, started_at=started_at, database=database, clock=utc_now)
    return report


def _paced(registry: Registry, rate: int, database: Database, stop: Event) -> Registry:
    return PacedRegistry(registry, SharedPace(rate, database, utc_now), stop) if rate else registry


def _shared_readers(publisher: Publisher, database: Database, stop: Event) -> NewReaders:
    """Let all workers read for a crawl, by way of the broker."""

    def publish(tasks: Sequence[Envelope]) -> None:
        try:
            publisher.publish(tasks)
        except PublishError as fault:
            raise TasksNotTaken(str(fault)) from fault

    def new_readers(crawl: int, run: str, rate: int) -> SharedReaders:
        return SharedReaders(crawl, run, rate, publish=publish, database=database, clock=utc_now, stop=stop)

    return new_readers


def _read_for_crawls(settings: Settings, database: Database, registry: Registry, stop: Event) -> None:
    with ExitStack() as fetchers:

        @cache
        def crawler_at(rate: int) -> RepositoryCrawler:
            paced = _paced(registry, rate, database, stop)
            fetcher = fetchers.enter_context(closing(new_fetcher(paced, database)))
            return RepositoryCrawler(database, paced, fetcher, utc_now, stop)

        reader = TaskReader(crawler_at, database, utc_now)
        consume_crawl_tasks(settings.broker_url, reader, threads=settings.crawl_threads, stop=stop)


def _repair(settings: Settings, database: Database, registry: Registry, stop: Event) -> None:
    # A registry that has just been restarted has enough to do.
    registry = _paced(registry, settings.crawl_rate, database, stop)
    with closing(new_fetcher(registry, database)) as fetcher, closing(Publisher(settings.broker_url)) as publisher:
        crawler = RepositoryCrawler(database, registry, fetcher, utc_now, stop)
        readers = _shared_readers(publisher, database, stop)
        plan = _plan(settings, CrawlKind.FULL, readers, rate=settings.crawl_rate)

        def work() -> float:
            found = repair_losses(crawler, holder=uuid4().hex, database=database, clock=utc_now, plan=plan)
            return 0 if found else LOSS_IDLE_S

        repeat(work, stop)


def _retain(settings: Settings, database: Database, registry: WritableRegistry, stop: Event) -> None:
    reader, holder = _paced(registry, settings.crawl_rate, database, stop), uuid4().hex
    deleter = ContentDeleter(database, registry, utc_now, limits=look_at(settings.crawl_rate), reader=reader)

    def work() -> float:
        try:
            done = run_retention(deleter, holder=holder, stop=stop, database=database, clock=utc_now)
        except RegistryUnavailable as fault:
            log.warning("retention.postponed", fault=str(fault))
            return RETENTION_PAUSE_S
        return 0 if done else RETENTION_IDLE_S

    repeat(work, stop)


def _finish_deletions(database: Database, registry: WritableRegistry, stop: Event) -> None:
    def work() -> float:
        finished = finish_deletions(registry=registry, database=database, clock=utc_now)
        return 0 if finished else DELETIONS_IDLE_S

    repeat(work, stop)


def _undo_overwrites(database: Database, registry: WritableRegistry, stop: Event) -> None:
    restorer, holder = TagRestorer(database, registry, utc_now), uuid4().hex

    def work() -> float:
        return 0 if undo_overwrite(restorer, holder=holder) else OVERWRITES_IDLE_S

    repeat(work, stop)


def _settle_grants(settings: Settings, database: Database, stop: Event) -> None:
    def work() -> float:
        settled = settle_push_grants(registry=settings.registry_host, database=database, clock=utc_now)
        return 0 if settled else SETTLE_EVERY_S

    repeat(work, stop)


def _count_deliveries(settings: Settings, counters: DeliveryCounters, database: Database, stop: Event) -> None:
    holder = uuid4().hex

    def work() -> float:
        registry = settings.registry_host
        count_deliveries(counters.read, holder=holder, registry=registry, database=database, clock=utc_now)
        return COUNT_EVERY_S

    repeat(work, stop)
