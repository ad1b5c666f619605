"""What a crawl has seen of repositories is written into the index."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.catalog.domain import drift
from services.catalog.domain.drift import Finding, Report
from services.catalog.domain.history import Kind, TagWrite
from services.catalog.domain.index import (
    RepositoryState,
    TagChange,
    observe_absence,
    observe_lost_manifest,
    observe_tag,
)
from services.catalog.domain.manifests import FetchedManifest
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.contents import note_children
from services.catalog.storage.drift import file_repairs
from services.catalog.storage.index import Wanted, load_states, save_states
from services.catalog.storage.manifests import note_manifests, save_manifests
from services.catalog.storage.pending import add_pending
from services.catalog.storage.repositories import lock_repositories, recount_repositories
from services.catalog.storage.tag_history import add_writes
from services.catalog.usecases.fetch_manifests import FetchResult
from services.catalog.usecases.notice_overwrites import notice_overwrites
from shared.oci.names import Digest, RepositoryName, Tag, split_namespace


@dataclass(frozen=True, slots=True)
class Seen:
    """A tag as it was seen."""

    tag: Tag
    digest: Digest
    fetched: FetchedManifest | None
    """Its manifest, where that was read with it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A part of a repository as it was seen."""

    repository: RepositoryName
    seen: Sequence[Seen]
    result: FetchResult
    seen_at: datetime
    report: Report | None
    """Where is told what is put right."""


def save_sights(connection: Connection, sights: Sequence[Sight], *, now: datetime) -> Sequence[int]:
    """Write down what was seen, each repository once, and return how many tags of each that put right."""
    rows = lock_repositories(connection, [sight.repository for sight in sights], now=now)
    digests = dict.fromkeys(one.digest for sight in sights for one in sight.seen)
    before = load_states(connection, _wanted(sights, rows))
    after = {rows[sight.repository]: _observed(before[rows[sight.repository]], sight) for sight in sights}
    save_states(connection, before, after, now=now)
    news, moves = {}, dict[RepositoryName, Sequence[TagChange]]()
    for sight in sights:
        row = rows[sight.repository]
        news[row] = _news(before[row], after[row], sight.seen_at)
        moves[sight.repository] = list(_moves(sight, before[row], after[row]))
    add_writes(connection, news)
    notice_overwrites(connection, [move for made in moves.values() for move in made], now=now)
    fetched = {digest: one for sight in sights for digest, one in sight.result.fetched.items()}
    save_manifests(connection, fetched.values(), now=now)
    note_manifests(connection, {digest: None for digest in digests if digest not in fetched})
    single = {digest for digest, one in fetched.items() if not one.manifest.children}
    doubtful = note_children(connection, list(after), digests.keys() - single, now=now)
    missing = {key for sight in sights for key in sight.result.missing}
    add_pending(connection, missing | doubtful, now=now)
    recount_repositories(connection, list(after))
    file_repairs(connection, [*_told(sights, moves)], now=now)
    return [len(moves[sight.repository]) for sight in sights]


def forget_absent(
    connection: Connection,
    repository: RepositoryName,
    absent: Collection[Tag],
    lost: Collection[Digest],
    *,
    seen_at: datetime,
    now: datetime,
) -> int:
    """Write down which tags and manifests are not there, and return how many tags that changed."""
    row = lock_repositories(connection, [repository], now=now)[repository]
    wanted = Wanted(tags={(row, tag) for tag in absent}, manifests={(row, digest) for digest in lost})
    before = load_states(connection, wanted)
    after = before[row]
    for tag in absent:
        after = observe_absence(after, tag, seen_at)
    for digest in lost:
        after = observe_lost_manifest(after, digest, seen_at)
    save_states(connection, before, {row: after}, now=now)
    gone = [tag for tag in absent if _shown(before[row], tag) and not _shown(after, tag)]
    stamp = Stamp(seen_at, "")
    add_writes(connection, {row: [TagWrite(stamp, tag, Kind.VANISHED, _shown(before[row], tag)) for tag in gone]})
    recount_repositories(connection, [row])
    return len(gone)


def _wanted(sights: Sequence[Sight], rows: Mapping[RepositoryName, int]) -> Wanted:
    seen = [(rows[sight.repository], one) for sight in sights for one in sight.seen]
    return Wanted(tags={(row, one.tag) for row, one in seen}, manifests={(row, one.digest) for row, one in seen})


def _observed(state: RepositoryState, sight: Sight) -> RepositoryState:
    for one in sight.seen:
        state = observe_tag(state, one.tag, one.digest, sight.seen_at)
    return state


def _told(
    sights: Sequence[Sight], moves: Mapping[RepositoryName, Sequence[TagChange]]
) -> Iterator[tuple[Report, Finding]]:
    for sight in sights:
        if sight.report is not None:
            for move in moves[sight.repository]:
                yield sight.report, _repair(move)


def _repair(move: TagChange) -> Finding:
    kind = drift.Kind.DIGEST_DIFFERS if move.previous_digest else drift.Kind.MISSING_TAG
    repository = move.cause.repository
    namespace = split_namespace(repository).namespace
    return Finding(kind, repository, move.tag, move.previous_digest, move.digest, namespace)


def _moves(sight: Sight, before: RepositoryState, after: RepositoryState) -> Iterator[TagChange]:
    for one in sight.seen:
        old, new = _shown(before, one.tag), _shown(after, one.tag)
        if old != new:
            cause = Occurrence(Stamp(sight.seen_at, ""), "push", sight.repository, digest=new, tag=one.tag)
            yield TagChange(one.tag, new, old, cause)


def _shown(state: RepositoryState, tag: Tag) -> Digest | None:
    known = state.tags.get(tag)
    return known.digest if known and known.present else None


def _news(before: RepositoryState, after: RepositoryState, seen_at: datetime) -> Sequence[TagWrite]:
    changed = [(tag, known) for tag, known in after.tags.items() if before.tags.get(tag) != known and known.present]
    return [TagWrite(Stamp(seen_at, ""), tag, Kind.SEEN, known.digest) for tag, known in changed]
