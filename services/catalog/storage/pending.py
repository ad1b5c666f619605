"""Manifests that could not be fetched yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, select, tuple_, update

from services.catalog.domain.retries import Attempts
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import pending_fetches as table
from services.catalog.storage.tables import repositories, repository_manifests
from shared.oci.names import Digest, RepositoryName

MAX_TRY_S = 120
"""A worker that took fetches and died has lost them for so long."""

Key = tuple[RepositoryName, Digest]


@dataclass(frozen=True, slots=True)
class PendingFetch:
    """A manifest to ask for, and how often we have asked."""

    repository: RepositoryName
    digest: Digest
    attempts: Attempts

    @property
    def key(self) -> Key:
        return self.repository, self.digest


def add_pending(connection: Connection, keys: Collection[Key], *, now: datetime) -> None:
    """Let manifests be fetched later; what waits already keeps its place."""
    rows = [
        {
            "repository": repository,
            "digest": digest,
            "since": now,
            "attempts": 0,
            "refusals": 0,
            "next_attempt_at": now,
        }
        for repository, digest in sorted(keys)
    ]
    insert_missing(connection, table, rows)


def take_due(connection: Connection, *, now: datetime, limit: int) -> Sequence[PendingFetch]:
    """Return fetches whose time has come, and keep other workers off them for a while."""
    query = (
        select(table)
        .where(table.c.next_attempt_at <= now)
        .order_by(table.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    due = [
        PendingFetch(
            RepositoryName(row.repository), Digest(row.digest), Attempts(row.since, row.attempts, row.refusals)
        )
        for row in connection.execute(query)
    ]
    if due:
        taken = tuple_(table.c.repository, table.c.digest).in_([one.key for one in due])
        connection.execute(update(table).where(taken).values(next_attempt_at=now + timedelta(seconds=MAX_TRY_S)))
    return due


def postpone(connection: Connection, pending: PendingFetch, attempts: Attempts, *, until: datetime) -> None:
    """Note a failure and when to try again."""
    connection.execute(
        update(table)
        .where(table.c.repository == pending.repository, table.c.digest == pending.digest)
        .values(attempts=attempts.count, refusals=attempts.refusals, next_attempt_at=until)
    )


def drop_pending(connection: Connection, digests: Collection[Digest]) -> None:
    """Forget fetches that nobody needs any more, in whichever repository the manifests are known to lie."""
    if not digests:
        return
    own = repository_manifests.c
    here = exists().where(
        repositories.c.full_name == table.c.repository,
        own.repository_id == repositories.c.id,
        own.digest == table.c.digest,
    )
    connection.execute(delete(table).where(table.c.digest.in_(digests), here))


def give_up(connection: Connection, pending: PendingFetch) -> None:
    """Forget a fetch that will not succeed."""
    ours = (table.c.repository == pending.repository) & (table.c.digest == pending.digest)
    connection.execute(delete(table).where(ours))


def count_pending(connection: Connection) -> int:
    """Return how many manifests wait."""
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
