"""How much there is and how much happens, in what a caller may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from services.catalog.storage.activity import (
    Day,
    NamespaceTotals,
    Pulled,
    Pushed,
    Totals,
    list_days,
    list_largest_namespaces,
    list_latest,
    list_most_pulled,
    sum_up,
)
from services.catalog.storage.deletion_queries import freed_by
from services.catalog.storage.repository_queries import RepositoryRow, find_repository
from services.catalog.usecases.not_found import RepositoryNotFound
from shared.clock import Clock
from shared.database import Database
from shared.visibility.answers import Visibility

MAX_NAMESPACES = 20
MAX_REPOSITORIES = 10


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much there is, and how much happens."""

    totals: Totals
    days: Sequence[Day]
    """One for each day, the oldest first."""
    namespaces: Sequence[NamespaceTotals]
    """The largest ones."""
    most_pulled: Sequence[Pulled]
    latest: Sequence[Pushed]


@dataclass(frozen=True, slots=True)
class RepositoryUsage:
    """What a repository takes up."""

    repository: RepositoryRow
    unique_bytes: int
    """What no other repository shares: it would go with the repository."""
    is_exact: bool
    """Whether everything in it is known."""


def show_statistics(visibility: Visibility, *, days: int, database: Database, clock: Clock) -> Statistics:
    """Return how much there is and how much happened.

    Args:
        days: so many days back, today among them.
    """
    today = clock().astimezone(UTC).date()
    since = today - timedelta(days=days - 1)
    with database.read() as connection:
        return Statistics(
            sum_up(connection, visibility),
            _filled(list_days(connection, visibility, since=since), since, today),
            list_largest_namespaces(connection, visibility, limit=MAX_NAMESPACES),
            list_most_pulled(connection, visibility, since=since, limit=MAX_REPOSITORIES),
            list_latest(connection, visibility, limit=MAX_REPOSITORIES),
        )


def show_repository_days(
    visibility: Visibility, repository: int, *, days: int, database: Database, clock: Clock
) -> Sequence[Day]:
    """Return how often a repository was pushed to and pulled from, for each day, the oldest first.

    Args:
        days: so many days back, today among them.

    Raises:
        RepositoryNotFound: it is missing, or not for the caller.
    """
    today = clock().astimezone(UTC).date()
    since = today - timedelta(days=days - 1)
    with database.read() as connection:
        if find_repository(connection, visibility, repository, or_empty=True) is None:
            raise RepositoryNotFound
        return _filled(list_days(connection, visibility, since=since, repository=repository), since, today)


def show_repository_usage(visibility: Visibility, repository: int, *, database: Database) -> RepositoryUsage:
    """Return what a repository takes up.

    Raises:
        RepositoryNotFound: it is missing, or not for the caller.
    """
    with database.read() as connection:
        row = find_repository(connection, visibility, repository, or_empty=True)
        if row is None:
            raise RepositoryNotFound
        freed = freed_by(connection, repository)
    return RepositoryUsage(row, freed.size_bytes, freed.is_exact)


def _filled(days: Sequence[Day], since: date, today: date) -> Sequence[Day]:
    known = {day.day: day for day in days}
    dates = [since + timedelta(days=number) for number in range((today - since).days + 1)]
    return [known.get(one, Day(one, 0, 0)) for one in dates]
