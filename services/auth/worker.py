"""What ``auth`` does besides answering: publish its events, renew the signing leaf, forget old rows.

Any number of workers may run: every task finds out in one transaction whether there is anything to do.
"""

from datetime import timedelta
from threading import Event, Thread

import structlog

from services.auth.app import new_database
from services.auth.settings import Settings
from services.auth.signing.authority import load_authority
from services.auth.signing.keyring import Keyring
from services.auth.storage.failures import purge_failures
from services.auth.storage.sessions import purge_sessions
from services.auth.storage.tables import outbox
from shared.clock import Clock, utc_now
from shared.database import Database
from shared.messaging.outbox import relay_outbox
from shared.messaging.publisher import Publisher

PERIOD = timedelta(minutes=1)

log = structlog.get_logger(__name__)


def work(settings: Settings, stop: Event, *, clock: Clock = utc_now) -> None:
    """Work until told to stop.

    Raises:
        SettingsError: the CA's files cannot be used.
    """
    database = new_database(settings)
    keyring = Keyring(load_authority(settings.ca_dir), database=database, clock=clock)
    publisher = Publisher(settings.broker_url)
    relay = Thread(target=relay_outbox, args=(database, outbox, publisher), kwargs={"stop": stop}, name="outbox")
    relay.start()
    try:
        _tidy_until(stop, keyring, database, clock)
    finally:
        stop.set()
        relay.join()
        publisher.close()
        database.dispose()


def tidy(keyring: Keyring, database: Database, clock: Clock) -> None:
    """Renew the leaf if it is time, and delete what has ended."""
    keyring.renew()
    now = clock()
    with database.write() as connection:
        purge_sessions(connection, now=now)
        purge_failures(connection, now=now)


def _tidy_until(stop: Event, keyring: Keyring, database: Database, clock: Clock) -> None:
    while not stop.is_set():
        try:
            tidy(keyring, database, clock)
        except Exception:
            # The process's outermost loop: the next round may find the database again.
            log.exception("worker.round_failed")
        stop.wait(PERIOD.total_seconds())
