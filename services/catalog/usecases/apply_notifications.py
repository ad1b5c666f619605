"""A registry's notifications become the index, each exactly once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from services.catalog.domain.occurrences import Meaning, Occurrence, meaning_of
from services.catalog.storage.activity import note_activity
from services.catalog.storage.contents import note_children
from services.catalog.storage.manifests import note_manifests, save_manifests
from services.catalog.storage.pending import Key, add_pending
from services.catalog.storage.progress import note_indexed
from services.catalog.storage.repositories import lock_repositories, recount_repositories
from services.catalog.storage.tables import inbox
from services.catalog.usecases.apply_occurrences import apply_to_tags, tell_changes
from services.catalog.usecases.fetch_manifests import FetchResult, ManifestFetcher
from services.catalog.usecases.load_occurrence import load_occurrence
from services.catalog.usecases.note_arrivals import note_arrivals, note_pushes_of
from services.catalog.usecases.notice_overwrites import notice_overwrites
from shared.clock import Clock
from shared.contracts.events import Envelope
from shared.database import Database
from shared.messaging.inbox import claim_new
from shared.oci.names import RepositoryName

FETCH_BUDGET_S = 0.5
"""So long a batch waits for manifests; a tag is better shown without its size than late."""

_PUSHES = (Meaning.TAG_PUSHED, Meaning.MANIFEST_PUSHED)

log = structlog.get_logger(__name__)


def apply_notifications(
    envelopes: Sequence[Envelope],
    *,
    database: Database,
    fetcher: ManifestFetcher,
    clock: Clock,
    fetch_budget_s: float = FETCH_BUDGET_S,
) -> None:
    """Apply a batch: claimed in the inbox, applied, and told on through the outbox, all or nothing.

    Args:
        envelopes: messages of type ``registry.notification.v1``; those seen before have no effect.
        fetcher: brings the manifests of unknown digests before the transaction begins; what does not
            come is fetched later, and the tag is shown without it.
        fetch_budget_s: so long is waited for them, all together.

    Raises:
        InvalidMessage: one of them is not a notification; nothing is applied.
    """
    occurrences = {(envelope.source, envelope.id): load_occurrence(envelope) for envelope in envelopes}
    pushed = [occurrence for occurrence in occurrences.values() if meaning_of(occurrence) in _PUSHES]
    result = fetcher.fetch_unknown(_keys(pushed), budget_s=fetch_budget_s)
    with database.write() as connection:
        now = clock()
        claimed = claim_new(connection, inbox, envelopes, now=now)
        fresh = [occurrences[envelope.source, envelope.id] for envelope in claimed]
        ids = lock_repositories(connection, _repositories(fresh), now=now)
        applied = apply_to_tags(connection, ids, fresh, now=now)
        _keep_manifests(connection, pushed, result, now=now)
        parents = {push.digest for push in pushed if push.digest}
        add_pending(connection, note_children(connection, ids.values(), parents, now=now), now=now)
        recount_repositories(connection, ids.values())
        tell_changes(connection, applied.changes)
        notice_overwrites(connection, applied.changes, applied.late, now=now)
        note_activity(connection, ids, fresh)
        note_pushes_of(connection, _pushes_of_others(fresh), now=now)
        note_arrivals(connection, claimed, now=now)
        note_indexed(connection, now=now)
    log.info("notifications.applied", received=len(envelopes), new=len(fresh), changed_tags=len(applied.changes))


def _pushes_of_others(occurrences: Iterable[Occurrence]) -> Iterator[Occurrence]:
    # Ours say nothing of whether the events of somebody who was let push arrive.
    return (one for one in occurrences if meaning_of(one) in _PUSHES and not one.is_ours)


def _keys(pushed: Iterable[Occurrence]) -> list[Key]:
    return [(push.repository, push.digest) for push in pushed if push.digest]


def _repositories(occurrences: Iterable[Occurrence]) -> set[RepositoryName]:
    return {one.repository for one in occurrences if meaning_of(one) is not Meaning.NOTHING}


def _keep_manifests(
    connection: Connection, pushed: Iterable[Occurrence], result: FetchResult, *, now: datetime
) -> None:
    save_manifests(connection, result.fetched.values(), now=now)
    note_manifests(connection, {push.digest: push.media_type for push in pushed if push.digest})
    # Sums of other repositories on the same manifest are brought up to date by whoever settles what
    # is pending there: touching them here would take locks out of order.
    add_pending(connection, result.missing.keys(), now=now)
