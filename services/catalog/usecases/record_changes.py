"""What we have changed in the registry changes the index at once, before the registry tells us of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import structlog

from services.catalog.domain.errands import OWN_EVENT_PREFIX, Errand
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.repositories import lock_repositories, recount_repositories
from services.catalog.usecases.apply_occurrences import apply_to_tags, tell_changes
from services.catalog.usecases.notice_overwrites import notice_overwrites
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag

log = structlog.get_logger(__name__)


def new_errand(actor: str | None) -> Errand:
    """Return a change of ours that is about to be made.

    Args:
        actor: on whose behalf; ``None``: nobody's, as when something is put back where it was.
    """
    return Errand(f"{OWN_EVENT_PREFIX}{uuid4()}", actor)


def deletion_of(
    repository: RepositoryName, at: datetime, errand: Errand, *, digest: Digest | None = None, tag: Tag | None = None
) -> Occurrence:
    """Return a deletion that the registry has confirmed, as if it had told us of it.

    Args:
        at: by the registry's clock.
        errand: the one with which the registry was asked.
        digest: of the manifest that is gone; else the tag is gone alone.
    """
    return Occurrence(Stamp(at, errand.id), "delete", repository, digest=digest, tag=tag, actor=errand.actor)


def push_of(
    repository: RepositoryName, at: datetime, errand: Errand, digest: Digest, media_type: str, *, tag: Tag | None = None
) -> Occurrence:
    """Return a push that the registry has taken, as if it had told us of it; the arguments are as above."""
    stamp = Stamp(at, errand.id)
    return Occurrence(stamp, "push", repository, digest=digest, tag=tag, media_type=media_type, actor=errand.actor)


def record_changes(changes: Sequence[Occurrence], *, database: Database, clock: Clock) -> None:
    """Apply deletions and pushes to the index and tell them on, in one transaction."""
    if not changes:
        return
    with database.write() as connection:
        now = clock()
        ids = lock_repositories(connection, {change.repository for change in changes}, now=now)
        applied = apply_to_tags(connection, ids, changes, now=now)
        recount_repositories(connection, ids.values())
        tell_changes(connection, applied.changes)
        notice_overwrites(connection, applied.changes, applied.late, now=now)
    log.info("changes.recorded", changes=len(changes), tags=len(applied.changes), repositories=sorted(ids))
