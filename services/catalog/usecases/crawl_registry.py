"""A crawl: the index is compared with the registry and put right.

A crawl may be killed at any time and started again: what it has read is kept, and it goes on behind
the last repository before which all are read. Events that arrive meanwhile win where they are newer.
"""

from contextlib import closing
from datetime import timedelta

import structlog

from services.catalog.storage.crawls import (
    Crawl,
    find_crawl,
    find_under_way,
    is_first_crawl_due,
    note_fault,
    note_restart,
    open_crawl,
)
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_readers import OwnReaders, Readers, TasksNotTaken
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.crawl_run import CrawlRun
from services.catalog.usecases.kept_lease import KeptLease
from services.catalog.usecases.registry import RegistryError
from shared.clock import Clock
from shared.database import Database

LEASE = "crawl"
LEASE_TTL = timedelta(seconds=60)
RENEW_EVERY = timedelta(seconds=15)

log = structlog.get_logger(__name__)


def is_crawl_due(*, database: Database) -> bool:
    """Tell whether what the registry held before Portus came is still to be read."""
    with database.read() as connection:
        return is_first_crawl_due(connection)


def crawl_registry(
    crawler: RepositoryCrawler, *, holder: str, database: Database, clock: Clock, plan: CrawlPlan | None = None
) -> CrawlReport | None:
    """Crawl the registry, unless another worker is doing so: then return ``None``.

    Args:
        crawler: reads single repositories; its ``stop`` ends the crawl early.
        holder: who we are, for the lease.
        plan: everything, unless something else is said.

    Raises:
        RegistryError: the catalogue could not be read, or our token was refused; a repository that cannot
            be read is a failure in the report and is left as it was.
        TasksNotTaken: the broker takes no tasks.
        LeaseLost: another worker has taken over.
    """
    plan = plan or CrawlPlan()
    lease = KeptLease(LEASE, holder, ttl=LEASE_TTL, every=RENEW_EVERY, database=database, clock=clock)
    crawl = _begin(plan, lease, database, clock)
    if crawl is None:
        return None
    log.info("crawl.started", crawl=crawl.id, kind=crawl.kind, position=crawl.position)
    with lease, closing(_new_readers(crawl, crawler, plan, holder)) as readers:
        run = CrawlRun(crawl, crawler, plan, lease, database, clock, readers)
        try:
            run.read_all()
        except (RegistryError, TasksNotTaken) as fault:
            with database.write() as connection:
                note_fault(connection, crawl.id, str(fault))
            raise
    log.info("crawl.ended", crawl=crawl.id, **run.report.numbers, finished=run.report.finished)
    return run.report


def _new_readers(crawl: Crawl, crawler: RepositoryCrawler, plan: CrawlPlan, holder: str) -> Readers:
    if plan.new_readers is None:
        return OwnReaders(crawler, plan.threads, crawl.report)
    return plan.new_readers(crawl.id, holder, plan.rate if crawl.is_paced else 0)


def _begin(plan: CrawlPlan, lease: KeptLease, database: Database, clock: Clock) -> Crawl | None:
    with database.write() as connection:
        if not lease.take(connection):
            return None
        broken_off = find_under_way(connection)
        if broken_off:
            note_restart(connection, broken_off.id)
            return broken_off
        return find_crawl(connection, open_crawl(connection, plan.kind, now=clock(), requested_by=plan.requested_by))
