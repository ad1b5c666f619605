"""How much is pushed and pulled, by day and repository."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, delete, func, select

from services.catalog.domain.occurrences import Meaning, Occurrence, meaning_of
from services.catalog.storage.statements import new_insert
from services.catalog.storage.tables import activity, repositories, tags
from services.catalog.storage.visible import visible_to
from shared.oci.names import RepositoryName
from shared.visibility.answers import Visibility

_A, _R = activity.c, repositories.c
_PUSHES = (Meaning.TAG_PUSHED, Meaning.MANIFEST_PUSHED)


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on a day, by UTC."""

    day: date
    pushes: int
    pulls: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a caller may see, together."""

    repositories: int
    tags: int
    size_bytes: int
    """Sum over the repositories: what two of them share counts in both."""
    pulls: int


@dataclass(frozen=True, slots=True)
class NamespaceTotals(Totals):
    """What a caller may see of a namespace."""

    namespace: str | None
    """``None``: the global one."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A repository that is pulled much."""

    repository_id: int
    repository: str
    pulls: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """A tag that was pushed lately."""

    repository_id: int
    repository: str
    tag: str
    digest: str
    pushed_at: datetime | None
    pushed_by: str | None
    updated_at: datetime


def note_activity(connection: Connection, ids: Mapping[RepositoryName, int], occurrences: Iterable[Occurrence]) -> None:
    """Count occurrences, each of which is given once; what we do ourselves does not count.

    Args:
        ids: of the repositories, which are locked.
    """
    counts: Counter[tuple[int, date, bool]] = Counter()
    for one in occurrences:
        meaning = meaning_of(one)
        if one.repository in ids and not one.is_ours and (meaning in _PUSHES or meaning is Meaning.PULLED):
            counts[ids[one.repository], one.stamp.time.astimezone(UTC).date(), meaning in _PUSHES] += 1
    days = sorted({(repository, day) for repository, day, _ in counts})
    if not days:
        return
    rows = [
        {
            "repository_id": repository,
            "day": day,
            "pushes": counts[repository, day, True],
            "pulls": counts[repository, day, False],
        }
        for repository, day in days
    ]
    insert = new_insert(connection, activity)
    added = {"pushes": _A.pushes + insert.excluded.pushes, "pulls": _A.pulls + insert.excluded.pulls}
    connection.execute(insert.on_conflict_do_update(index_elements=["repository_id", "day"], set_=added), rows)


def purge_activity(connection: Connection, *, before: date) -> int:
    """Forget days before one; return how many."""
    return connection.execute(delete(activity).where(_A.day < before)).rowcount


def list_days(
    connection: Connection, visibility: Visibility, *, since: date, repository: int | None = None
) -> Sequence[Day]:
    """Return what happened since a day in what the caller sees; days on which nothing did are left out.

    Args:
        repository: only in this one.
    """
    query = (
        select(_A.day, func.sum(_A.pushes), func.sum(_A.pulls))
        .join_from(activity, repositories)
        .where(_A.day >= since, visible_to(visibility, connection.dialect))
        .group_by(_A.day)
        .order_by(_A.day)
    )
    if repository is not None:
        query = query.where(_R.id == repository)
    return [Day(day, int(pushes), int(pulls)) for day, pushes, pulls in connection.execute(query)]


def sum_up(connection: Connection, visibility: Visibility) -> Totals:
    """Return what the caller sees, together."""
    query = select(func.count(), *_SUMS).where(visible_to(visibility, connection.dialect))
    return Totals(*map(int, connection.execute(query).one()))


def list_largest_namespaces(connection: Connection, visibility: Visibility, *, limit: int) -> Sequence[NamespaceTotals]:
    """Return the namespaces with the most bytes in what the caller sees."""
    size = func.coalesce(func.sum(_R.size_bytes), 0)
    query = (
        select(_R.namespace, func.count(), *_SUMS)
        .where(visible_to(visibility, connection.dialect))
        .group_by(_R.namespace)
        .order_by(size.desc(), _R.namespace)
        .limit(limit)
    )
    found = []
    for name, *sums in connection.execute(query):
        count, tags_count, size_bytes, pulls = map(int, sums)
        found.append(NamespaceTotals(count, tags_count, size_bytes, pulls, name))
    return found


def list_most_pulled(connection: Connection, visibility: Visibility, *, since: date, limit: int) -> Sequence[Pulled]:
    """Return the repositories that were pulled most since a day, in what the caller sees."""
    total = func.sum(_A.pulls)
    query = (
        select(_R.id, _R.full_name, total)
        .join_from(activity, repositories)
        .where(_A.day >= since, visible_to(visibility, connection.dialect))
        .group_by(_R.id, _R.full_name)
        .having(total > 0)
        .order_by(total.desc(), _R.full_name)
        .limit(limit)
    )
    return [Pulled(number, name, int(pulls)) for number, name, pulls in connection.execute(query)]


def list_latest(connection: Connection, visibility: Visibility, *, limit: int) -> Sequence[Pushed]:
    """Return the tags that were written last in what the caller sees, one of each repository at the most."""
    latest = (
        select(_R.id, _R.full_name)
        .where(visible_to(visibility, connection.dialect))
        .order_by(_R.updated_at.desc(), _R.id)
        .limit(limit)
    )
    places = {row.id: row.full_name for row in connection.execute(latest)}
    found = []
    for place, name in places.items():
        columns = (tags.c.name, tags.c.digest, tags.c.pushed_at, tags.c.pushed_by, tags.c.written_at)
        newest = select(*columns).where(tags.c.repository_id == place, tags.c.present)
        row = connection.execute(newest.order_by(tags.c.written_at.desc(), tags.c.id.desc()).limit(1)).first()
        if row:
            found.append(Pushed(place, name, *row))
    return found


_SUMS = tuple(func.coalesce(func.sum(column), 0) for column in (_R.tags_count, _R.size_bytes, _R.pulls))
