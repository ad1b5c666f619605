"""What is known of repositories' tags, deletions and pulls: read for a batch, written back."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, delete, exists, select, tuple_

from services.catalog.domain.index import BY_DIGEST, ManifestState, PullCount, PullKey, RepositoryState, TagState
from services.catalog.domain.occurrences import Meaning, Occurrence, Stamp, meaning_of
from services.catalog.domain.referrers import find_referrer_tag
from services.catalog.storage.statements import select_listed, upsert
from services.catalog.storage.tables import manifest_children, manifest_deletions, pulls, repository_manifests, tags
from shared.oci.names import Digest, Tag

RepositoryId = int
States = Mapping[RepositoryId, RepositoryState]
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be known before something can be applied; each set by repository."""

    tags: set[tuple[RepositoryId, Tag]] = field(default_factory=set)
    emptied: set[tuple[RepositoryId, Digest]] = field(default_factory=set)
    """Digests whose tags are wanted, because the digest goes."""
    manifests: set[tuple[RepositoryId, Digest]] = field(default_factory=set)
    """Digests of which presence and deletion are wanted."""
    pulls: set[tuple[RepositoryId, Digest, str]] = field(default_factory=set)


def wanted_by(batch: Mapping[RepositoryId, Sequence[Occurrence]]) -> Wanted:
    """Return what ``apply_occurrence`` needs to know for a batch."""
    wanted = Wanted()
    for repository, occurrences in batch.items():
        for occurrence in occurrences:
            _want(wanted, repository, occurrence)
    return wanted


def _want(wanted: Wanted, repository: RepositoryId, occurrence: Occurrence) -> None:
    meaning, digest = meaning_of(occurrence), occurrence.digest
    if meaning in (Meaning.TAG_PUSHED, Meaning.TAG_DELETED) and occurrence.tag:
        wanted.tags.add((repository, occurrence.tag))
    if meaning in (Meaning.TAG_PUSHED, Meaning.MANIFEST_PUSHED, Meaning.MANIFEST_DELETED) and digest:
        wanted.manifests.add((repository, digest))
    if meaning is Meaning.MANIFEST_DELETED and digest:
        wanted.emptied.add((repository, digest))
    if meaning in (Meaning.PULLED, Meaning.CHECKED) and digest:
        wanted.pulls.add((repository, digest, occurrence.tag or BY_DIGEST))


def load_states(connection: Connection, wanted: Wanted) -> dict[RepositoryId, RepositoryState]:
    """Return what is known, by repository; nothing known is an empty state."""
    known: dict[RepositoryId, dict[Tag, TagState]] = defaultdict(dict)
    # Two queries, because neither database looks up the two sides of an OR by two indexes reliably.
    for keys, columns in ((wanted.tags, (tags.c.repository_id, tags.c.name)), (wanted.emptied, _DIGEST_OF_TAG)):
        for row in select_listed(connection, tags, columns, keys):
            known[row.repository_id][Tag(row.name)] = _tag_state(row)
    manifests: dict[RepositoryId, dict[Digest, ManifestState]] = defaultdict(dict)
    for row in select_listed(connection, repository_manifests, _KEY_OF_MANIFEST, wanted.manifests):
        manifests[row.repository_id][Digest(row.digest)] = _manifest_state(row)
    deletions: dict[RepositoryId, dict[Digest, Stamp]] = defaultdict(dict)
    for row in select_listed(connection, manifest_deletions, _KEY_OF_DELETION, wanted.manifests):
        deletions[row.repository_id][Digest(row.digest)] = Stamp(row.deleted_at, row.event)
    counts: dict[RepositoryId, dict[PullKey, PullCount]] = defaultdict(dict)
    for row in select_listed(connection, pulls, _KEY_OF_PULLS, wanted.pulls):
        count = PullCount(row.pulls, row.pulled_at, row.checks, row.checked_at)
        counts[row.repository_id][row.tag, Digest(row.digest)] = count
    return defaultdict(
        RepositoryState,
        {
            one: RepositoryState(known[one], manifests[one], deletions[one], counts[one])
            for one in {*known, *manifests, *deletions, *counts}
        },
    )


_DIGEST_OF_TAG = (tags.c.repository_id, tags.c.digest)
_KEY_OF_MANIFEST = (repository_manifests.c.repository_id, repository_manifests.c.digest)
_KEY_OF_DELETION = (manifest_deletions.c.repository_id, manifest_deletions.c.digest)
_KEY_OF_PULLS = (pulls.c.repository_id, pulls.c.digest, pulls.c.tag)


def _tag_state(row: Row[Any]) -> TagState:
    stamp = Stamp(row.written_at, row.written_by_event)
    digest = Digest(row.digest) if row.digest else None
    return TagState(digest, stamp, row.present, row.pushed_at, row.pushed_by)


def _manifest_state(row: Row[Any]) -> ManifestState:
    return ManifestState(Stamp(row.written_at, row.written_by_event), row.present, row.pushed_by)


def save_states(connection: Connection, before: States, after: States, *, now: datetime) -> None:
    """Write down what has changed between two states of some repositories."""
    tag_rows, manifest_rows, deletion_rows, pull_rows = [], [], [], []
    for repository, state in after.items():
        known = before[repository]
        tag_rows += [_tag_row(repository, tag, one, now) for tag, one in _changed(known.tags, state.tags)]
        manifest_rows += [
            _manifest_row(repository, digest, one, now) for digest, one in _changed(known.manifests, state.manifests)
        ]
        deletion_rows += [
            {"repository_id": repository, "digest": digest, "deleted_at": stamp.time, "event": stamp.id}
            for digest, stamp in _changed(known.deletions, state.deletions)
        ]
        pull_rows += [_pull_row(repository, key, count) for key, count in _changed(known.pulls, state.pulls)]
    upsert(connection, tags, tag_rows, keep=["first_seen_at"])
    upsert(connection, repository_manifests, manifest_rows, keep=["first_seen_at"])
    upsert(connection, manifest_deletions, deletion_rows)
    upsert(connection, pulls, pull_rows)


def _changed(before: Mapping[Key, Value], after: Mapping[Key, Value]) -> Iterator[tuple[Key, Value]]:
    return ((key, value) for key, value in after.items() if before.get(key) != value)


def _tag_row(repository: RepositoryId, tag: Tag, state: TagState, now: datetime) -> dict[str, Any]:
    return {
        "repository_id": repository,
        "name": tag,
        "digest": state.digest,
        "present": state.present,
        "written_at": state.stamp.time,
        "written_by_event": state.stamp.id,
        "pushed_at": state.pushed_at,
        "pushed_by": state.pushed_by,
        "first_seen_at": now,
        "referrer_of": referrer.subject if (referrer := find_referrer_tag(tag)) else None,
    }


def _manifest_row(repository: RepositoryId, digest: Digest, state: ManifestState, now: datetime) -> dict[str, Any]:
    return {
        "repository_id": repository,
        "digest": digest,
        "present": state.present,
        "written_at": state.stamp.time,
        "written_by_event": state.stamp.id,
        "pushed_by": state.pushed_by,
        "first_seen_at": now,
    }


def _pull_row(repository: RepositoryId, key: PullKey, count: PullCount) -> dict[str, Any]:
    tag, digest = key
    return {
        "repository_id": repository,
        "tag": tag,
        "digest": digest,
        "pulls": count.pulls,
        "pulled_at": count.pulled_at,
        "checks": count.checks,
        "checked_at": count.checked_at,
    }


def purge_deletions(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget deletions before a moment, at most ``limit`` of tags and of digests each; return how many."""
    old_tags = select(tags.c.id).where(~tags.c.present, tags.c.written_at < before).limit(limit)
    gone = connection.execute(delete(tags).where(tags.c.id.in_(old_tags))).rowcount
    # What an index lists would seem to be there again.
    is_listed = exists().where(manifest_children.c.digest == manifest_deletions.c.digest)
    old = select(*_KEY_OF_DELETION).where(manifest_deletions.c.deleted_at < before, ~is_listed).limit(limit)
    return gone + connection.execute(delete(manifest_deletions).where(tuple_(*_KEY_OF_DELETION).in_(old))).rowcount


def purge_manifests(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget manifests that went and of whose deletion nothing is remembered; return how many."""
    same = tuple_(*_KEY_OF_DELETION) == tuple_(*_KEY_OF_MANIFEST)
    is_remembered = exists().where(same)
    gone = ~repository_manifests.c.present & (repository_manifests.c.written_at < before) & ~is_remembered
    old = select(*_KEY_OF_MANIFEST).where(gone).limit(limit)
    return connection.execute(delete(repository_manifests).where(tuple_(*_KEY_OF_MANIFEST).in_(old))).rowcount
