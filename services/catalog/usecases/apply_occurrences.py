"""What happened in the registry changes tags, and the changes are told on, inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection

from services.catalog.domain.history import TagWrite, writes_of
from services.catalog.domain.index import Outcome, TagChange, apply_all
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.index import load_states, save_states, wanted_by
from services.catalog.storage.tables import outbox
from services.catalog.storage.tag_history import add_writes
from shared.contracts.events import Envelope, TagDeleted, TagPushed, envelope_of
from shared.messaging.outbox import record_events
from shared.oci.names import RepositoryName, Tag

SOURCE = "/catalog"


@dataclass(frozen=True, slots=True)
class LatePush:
    """A push of a tag that we heard of after something else was written to it."""

    repository_id: int
    tag: Tag
    push: Occurrence


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of some occurrences."""

    changes: Sequence[TagChange]
    late: Sequence[LatePush]


def apply_to_tags(
    connection: Connection, ids: Mapping[RepositoryName, int], occurrences: Iterable[Occurrence], *, now: datetime
) -> Applied:
    """Apply occurrences and return what changed.

    Args:
        ids: of the repositories, which are locked; what happened in others is passed over.
    """
    batch: dict[int, list[Occurrence]] = defaultdict(list)
    for occurrence in occurrences:
        if occurrence.repository in ids:
            batch[ids[occurrence.repository]].append(occurrence)
    before = load_states(connection, wanted_by(batch))
    outcomes = {repository: apply_all(before[repository], group) for repository, group in batch.items()}
    after = {repository: outcome.state for repository, outcome in outcomes.items()}
    save_states(connection, before, after, now=now)
    writes = {repository: _writes(group, outcomes[repository]) for repository, group in batch.items()}
    told_before = add_writes(connection, writes)
    return Applied(
        changes=[change for outcome in outcomes.values() for change in outcome.changes],
        late=[
            LatePush(repository, push.tag, push)
            for repository, outcome in outcomes.items()
            for push in outcome.late
            # What we did ourselves is no news when the registry tells of it, too.
            if push.tag and (repository, push.tag, push.stamp.id) not in told_before
        ],
    )


def _writes(occurrences: Iterable[Occurrence], outcome: Outcome) -> Sequence[TagWrite]:
    gone: dict[Stamp, list[Tag]] = defaultdict(list)
    for change in outcome.changes:
        if change.digest is None:
            gone[change.cause.stamp].append(change.tag)
    return [write for one in occurrences for write in writes_of(one, gone[one.stamp])]


def tell_changes(connection: Connection, changes: Iterable[TagChange]) -> None:
    """Let everybody know, through the outbox."""
    record_events(connection, outbox, map(_event_of, changes))


def _event_of(change: TagChange) -> Envelope:
    cause = change.cause
    event: TagPushed | TagDeleted
    if change.digest:
        event = TagPushed(cause.repository, change.tag, change.digest, change.previous_digest, cause.actor)
    else:
        event = TagDeleted(cause.repository, change.tag, change.previous_digest, cause.actor)
    # One notification changes a tag once: the same id again would be the same message again. What we did
    # ourselves is told twice, and both change something where another write lies between their times.
    when = f"/{cause.stamp.time.isoformat()}" if cause.stamp.is_own else ""
    name = f"{event.TYPE}/{cause.stamp.id}/{change.tag}{when}"
    return envelope_of(
        event, id=str(uuid5(NAMESPACE_URL, name)), source=SOURCE, time=cause.stamp.time, subject=cause.repository
    )
