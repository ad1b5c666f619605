"""Manifests that did not come at first are asked for again, with growing pauses, up to a limit."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from services.catalog.domain.retries import next_attempt
from services.catalog.storage.contents import list_doubtful, note_children
from services.catalog.storage.manifests import list_containing, list_fetched, save_manifests
from services.catalog.storage.pending import PendingFetch, add_pending, drop_pending, give_up, postpone, take_due
from services.catalog.storage.repositories import lock_repositories_with, recount_repositories
from services.catalog.usecases.fetch_manifests import FetchResult, LookResult, ManifestFetcher
from services.catalog.usecases.registry import RegistryError, RegistryRefused, RegistryUnavailable
from shared.clock import Clock
from shared.database import Database

BATCH_SIZE = 50

FETCH_BUDGET_S = 30.0
"""Well below the time for which taken fetches are kept from other workers."""

log = structlog.get_logger(__name__)


def retry_fetches(*, database: Database, fetcher: ManifestFetcher, clock: Clock) -> int:
    """Ask once for each manifest whose time has come; return how many there were."""
    with database.write() as connection:
        due = take_due(connection, now=clock(), limit=BATCH_SIZE)
    if not due:
        return 0
    keys = {pending.key for pending in due}
    with database.read() as connection:
        doubtful = list_doubtful(connection, keys)
    result = fetcher.fetch_unknown(keys - doubtful, budget_s=FETCH_BUDGET_S)
    looked = fetcher.look_for(doubtful, budget_s=FETCH_BUDGET_S)
    with database.write() as connection:
        settled = _settle(connection, due, result, looked, now=clock())
    log.info("fetches.retried", due=len(due), settled=settled)
    return len(due)


def _settle(
    connection: Connection, due: Sequence[PendingFetch], result: FetchResult, looked: LookResult, *, now: datetime
) -> int:
    digests = {pending.digest for pending in due}
    # Repositories before manifests, as everywhere: who takes locks in one order never waits in a ring.
    affected = list_containing(connection, digests | result.fetched.keys())
    repositories = lock_repositories_with(connection, affected)
    save_manifests(connection, result.fetched.values(), now=now)
    doubtful = note_children(connection, repositories, affected, now=now, confirmed=looked.lying)
    known = list_fetched(connection, digests)
    recount_repositories(connection, repositories)
    drop_pending(connection, known)
    waiting = {pending.key for pending in due}
    add_pending(connection, (result.missing.keys() | doubtful) - waiting, now=now)
    faults = looked.missing | {key: fault for key, fault in result.missing.items() if key[1] not in known}
    for pending in due:
        if pending.key in faults:
            _postpone(connection, pending, faults[pending.key], now=now)
    return len(due) - len(waiting & faults.keys())


def _postpone(connection: Connection, pending: PendingFetch, fault: RegistryError | None, *, now: datetime) -> None:
    is_answer = fault is not None and not isinstance(fault, RegistryUnavailable | RegistryRefused)
    following = next_attempt(pending.attempts, refused=is_answer, now=now)
    if following:
        attempts, until = following
        postpone(connection, pending, attempts, until=until)
    else:
        log.warning("fetch.given_up", repository=pending.repository, digest=pending.digest, fault=str(fault))
        give_up(connection, pending)
