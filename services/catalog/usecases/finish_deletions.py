"""Deletions by a throw-away manifest are finished whose process ended, or lost the registry, half-way.

What is under the tag tells how far it came. Several workers may do so at the same time: each step may be done
again, and the index knows the deletion by its errand.
"""

from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from services.catalog.domain import throwaway
from services.catalog.storage.begun_deletions import BegunDeletion, forget_begun, list_unfinished, put_off
from services.catalog.usecases.record_changes import deletion_of, record_changes
from services.catalog.usecases.registry import NotInRegistry, RegistryError, WritableRegistry
from shared.clock import Clock
from shared.database import Database

GRACE = timedelta(minutes=2)
"""So long a deletion is left to whoever has begun it: longer than its few requests can take."""

AT_ONCE = 20

log = structlog.get_logger(__name__)


def finish_deletions(*, registry: WritableRegistry, database: Database, clock: Clock) -> int:
    """Finish a bounded number of deletions of which nothing was heard; return how many are over."""
    with database.read() as connection:
        unfinished = list_unfinished(connection, now=clock(), limit=AT_ONCE)
    return sum(_finish(one, registry, database, clock) for one in unfinished)


def _finish(one: BegunDeletion, registry: WritableRegistry, database: Database, clock: Clock) -> bool:
    try:
        gone_at = _end(one, registry, clock)
    except RegistryError as fault:
        log.warning("deletion.not_finished", repository=one.repository, tag=one.tag, fault=str(fault))
        with database.write() as connection:
            put_off(connection, one.errand, due_at=clock() + GRACE)
        return False
    if gone_at:
        change = deletion_of(one.repository, gone_at, one.errand, tag=one.tag)
        record_changes([change], database=database, clock=clock)
    with database.write() as connection:
        forget_begun(connection, one.errand)
    log.info("deletion.finished", repository=one.repository, tag=one.tag, is_gone=bool(gone_at))
    return True


def _end(one: BegunDeletion, registry: WritableRegistry, clock: Clock) -> datetime | None:
    """Take the throw-away manifest away where it is still under the tag; return when the tag went, if it has."""
    at = clock()
    try:
        digest = registry.find_digest(one.repository, one.tag)
    except NotInRegistry:
        return at
    if digest != throwaway.DIGEST:
        # It never came so far, or somebody has pushed since.
        return None
    with suppress(NotInRegistry):
        at = registry.delete_manifest(one.repository, throwaway.DIGEST, one.errand)
    return at
