"""What we have deleted in the registry goes from the index at once, before the registry tells us of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import structlog

from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.repositories import lock_repositories, recount_repositories
from services.catalog.usecases.apply_occurrences import apply_to_tags, tell_changes
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag

log = structlog.get_logger(__name__)


def deletion_of(
    repository: RepositoryName, at: datetime, actor: str | None, *, digest: Digest | None = None, tag: Tag | None = None
) -> Occurrence:
    """Return a deletion that the registry has confirmed, as if it had told us of it.

    Args:
        at: by the registry's clock.
        actor: on whose behalf it was done.
        digest: of the manifest that is gone; else the tag is gone alone.
    """
    return Occurrence(Stamp(at, f"portus-{uuid4()}"), "delete", repository, digest=digest, tag=tag, actor=actor)


def record_deletions(deletions: Sequence[Occurrence], *, database: Database, clock: Clock) -> None:
    """Apply deletions to the index and tell them on, in one transaction."""
    if not deletions:
        return
    with database.write() as connection:
        now = clock()
        ids = lock_repositories(connection, {deletion.repository for deletion in deletions}, now=now)
        changes = apply_to_tags(connection, ids, deletions, now=now)
        recount_repositories(connection, ids.values())
        tell_changes(connection, changes)
    log.info("deletions.recorded", deletions=len(deletions), tags=len(changes), repositories=sorted(ids))
