"""What we have changed in the registry changes the index at once, before the registry tells us of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import structlog

from services.catalog.domain.occurrences import OWN_EVENT_PREFIX, Occurrence, Stamp
from services.catalog.storage.repositories import lock_repositories, recount_repositories
from services.catalog.usecases.apply_occurrences import apply_to_tags, tell_changes
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag

log = structlog.get_logger(__name__)


def deletion_of(
    repository: RepositoryName, at: datetime, actor: str, *, digest: Digest | None = None, tag: Tag | None = None
) -> Occurrence:
    """Return a deletion that the registry has confirmed, as if it had told us of it.

    Args:
        at: by the registry's clock.
        actor: on whose behalf it was done.
        digest: of the manifest that is gone; else the tag is gone alone.
    """
    return Occurrence(_stamp(at), "delete", repository, digest=digest, tag=tag, actor=actor)


def push_of(
    repository: RepositoryName, at: datetime, actor: str, digest: Digest, media_type: str, *, tag: Tag | None = None
) -> Occurrence:
    """Return a push that the registry has taken, as if it had told us of it; the arguments are as above."""
    return Occurrence(_stamp(at), "push", repository, digest=digest, tag=tag, media_type=media_type, actor=actor)


def record_changes(changes: Sequence[Occurrence], *, database: Database, clock: Clock) -> None:
    """Apply deletions and pushes to the index and tell them on, in one transaction."""
    if not changes:
        return
    with database.write() as connection:
        now = clock()
        ids = lock_repositories(connection, {change.repository for change in changes}, now=now)
        changed = apply_to_tags(connection, ids, changes, now=now).changes
        recount_repositories(connection, ids.values())
        tell_changes(connection, changed)
    log.info("changes.recorded", changes=len(changes), tags=len(changed), repositories=sorted(ids))


def _stamp(at: datetime) -> Stamp:
    return Stamp(at, f"{OWN_EVENT_PREFIX}{uuid4()}")
