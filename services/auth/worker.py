"""What ``auth`` does besides answering: publish its events, renew the signing leaf, forget old rows.

Any number of workers may run: every task finds out in one transaction whether there is anything to do.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.auth.app import new_database, new_keyring
from services.auth.settings import Settings
from services.auth.signing.keyring import Keyring
from services.auth.signing.watched_authority import WatchedAuthority
from services.auth.storage.failures import purge_failures
from services.auth.storage.grants import purge_grants
from services.auth.storage.logins import purge_logins
from services.auth.storage.sessions import purge_sessions
from services.auth.storage.tables import idempotency_keys, outbox
from services.auth.usecases.keep_decisions import keep_decisions
from services.auth.usecases.purge_audit import purge_audit
from shared.clock import Clock, utc_now
from shared.commands import Task, run_tasks
from shared.database import Database
from shared.idempotency import purge_answers
from shared.messaging.outbox import relay_outbox
from shared.messaging.publisher import Publisher

PERIOD = timedelta(minutes=1)

log = structlog.get_logger(__name__)


def work(settings: Settings, stop: Event, *, clock: Clock = utc_now) -> None:
    """Work until told to stop.

    Raises:
        SettingsError: the CA's files cannot be used.
        SystemExit: a task has died.
    """
    database = new_database(settings)
    keyring = new_keyring(settings, WatchedAuthority(settings.ca_dir, clock=clock), database=database, clock=clock)
    publisher = Publisher(settings.broker_url)
    tasks: dict[str, Task] = {
        "outbox": lambda stop: relay_outbox(database, outbox, publisher, stop=stop),
        "tidying": lambda stop: _repeat(stop, partial(tidy, keyring, database, clock, settings)),
        "decisions": lambda stop: _repeat(
            stop, partial(keep_decisions, keep_days=settings.decisions_keep_days, database=database, clock=clock)
        ),
    }
    run_tasks(tasks, stop)
    publisher.close()
    database.dispose()


def tidy(keyring: Keyring, database: Database, clock: Clock, settings: Settings) -> None:
    """Renew the leaf if it is time, and delete what has ended.

    Args:
        settings: say for how long what has ended is kept.
    """
    keyring.renew()
    now = clock()
    with database.write() as connection:
        purge_sessions(connection, now=now)
        purge_logins(connection, now=now)
        purge_failures(connection, now=now)
        purge_answers(connection, idempotency_keys, now=now)
        purge_grants(connection, before=now - settings.expired_grants_kept)
    purge_audit(keep_months=settings.audit_keep_months, database=database, clock=clock)


def _repeat(stop: Event, do: Callable[[], None]) -> None:
    while not stop.is_set():
        try:
            do()
        except SQLAlchemyError as fault:
            # The next round may find the database again; a leaf has days left, so there is time.
            log.error("worker.round_failed", fault=type(fault).__name__)
        stop.wait(PERIOD.total_seconds())
