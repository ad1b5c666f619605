"""What the notifier does besides answering: empty the spool, keep events, tell webhooks of them, forget old rows."""

from threading import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.notifier.app import new_deliverer, prepare_spool
from services.notifier.clients.event_store import spool_queue
from services.notifier.consumers.dead_letters import keep_letters_of, return_letters_when_asked
from services.notifier.consumers.events import consume_events
from services.notifier.consumers.quarantine import consume_quarantine
from services.notifier.consumers.spool import drain_spool
from services.notifier.consumers.webhooks import deliver_webhooks
from services.notifier.settings import Settings
from services.notifier.usecases.forget_answers import forget_answers
from services.notifier.usecases.keep_quarantined import forget_old_messages
from services.notifier.usecases.record_events import purge_log
from services.notifier.usecases.webhook_deliveries import purge_old_deliveries
from shared.clock import utc_now
from shared.commands import Task, run_tasks
from shared.config import Secret
from shared.database import Database
from shared.messaging.publisher import Publisher
from shared.messaging.topology import TOPOLOGY, QueueSpec

PURGE_EVERY_S = 600.0
POOL_SIZE = 16
"""Connections: one for each task; the threads that tell webhooks come on top."""
BATCH_PAUSE_S = 0.1
"""Between two batches, so that whoever appends gets a turn."""

log = structlog.get_logger(__name__)


def run_worker(settings: Settings, stop: Event) -> None:
    """Do all background work until told to stop.

    Raises:
        SettingsError: the spool's file cannot be made.
        SystemExit: a task has died.
    """
    prepare_spool(settings)
    database = Database(settings.database_url.reveal(), pool_size=POOL_SIZE + settings.webhooks.threads)
    publisher = Publisher(settings.broker_url)
    try:
        run_tasks(_tasks(settings, database, publisher), stop)
    finally:
        publisher.close()
        database.dispose()


def _tasks(settings: Settings, database: Database, publisher: Publisher) -> dict[str, Task]:
    broker_url, deliverer = settings.broker_url, new_deliverer(settings, database)
    tasks: dict[str, Task] = {
        "quarantine": lambda stop: consume_quarantine(broker_url, database=database, clock=utc_now, stop=stop),
        "events": lambda stop: consume_events(broker_url, database=database, clock=utc_now, stop=stop),
        "replays": lambda stop: return_letters_when_asked(broker_url, database=database, clock=utc_now, stop=stop),
        "webhooks": lambda stop: deliver_webhooks(deliverer, threads=settings.webhooks.threads, stop=stop),
        "housekeeping": lambda stop: _purge(settings, database, stop),
        **{spec.dead_name: _keeper(broker_url, spec, database) for spec in TOPOLOGY},
    }
    spool_url = settings.spool_url
    if spool_url:
        queue = spool_queue(settings.spool_max_events)
        tasks["spool"] = lambda stop: drain_spool(spool_url, queue, publisher, stop=stop)
    return tasks


def _keeper(broker_url: Secret, queue: QueueSpec, database: Database) -> Task:
    return lambda stop: keep_letters_of(broker_url, queue, database=database, clock=utc_now, stop=stop)


def _purge(settings: Settings, database: Database, stop: Event) -> None:
    while not stop.is_set():
        try:
            while _purge_some(settings, database) and not stop.wait(BATCH_PAUSE_S):
                pass
        except SQLAlchemyError as fault:
            log.warning("worker.database_away", fault=type(fault).__name__)
        stop.wait(PURGE_EVERY_S)


def _purge_some(settings: Settings, database: Database) -> int:
    """Forget a bounded number of rows and return how many."""
    purged = purge_log(database=database, clock=utc_now, keep_for=settings.events_keep, keep=settings.events_max)
    purged += purge_old_deliveries(database=database, clock=utc_now, keep_for=settings.webhooks.keep)
    purged += forget_answers(database=database, clock=utc_now)
    return purged + forget_old_messages(database=database, clock=utc_now)
