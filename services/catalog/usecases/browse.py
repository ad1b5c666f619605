"""What a caller may see of the index."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.catalog.storage.crawls import last_finished_at
from services.catalog.storage.loss_queries import OpenLosses, summarize_open
from services.catalog.storage.pending import count_pending
from services.catalog.storage.progress import find_indexed_at
from services.catalog.storage.repository_queries import RepositoryRow
from services.catalog.storage.repository_queries import find_repository as find_row
from services.catalog.storage.repository_queries import list_repositories as list_rows
from services.catalog.storage.scan_queries import list_worst
from services.catalog.storage.tag_queries import find_tag_row, list_groups
from services.catalog.storage.tag_queries import list_tags as list_tag_rows
from services.catalog.storage.tag_rows import TagRow
from services.catalog.usecases.not_found import NamespaceNotFound, RepositoryNotFound, TagNotFound
from services.catalog.usecases.placed import FindPlaces, find_place, place_rows, with_place
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.database import Database
from shared.visibility.answers import Visibility


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the index has come."""

    indexed_at: datetime | None
    """When notifications were applied last."""
    crawled_at: datetime | None
    """When a crawl of the registry came to its end last."""
    waiting: int
    """Manifests that could not be fetched yet."""
    possible_loss: OpenLosses | None
    """Where the index may be wrong, because events may have been lost."""


def list_repositories(
    visibility: Visibility, places: FindPlaces, request: ListRequest, *, database: Database
) -> Page[RepositoryRow] | Slice[RepositoryRow]:
    """Return a part of the repositories that the caller may pull from.

    Raises:
        TooManyRows: all were asked for, and there are too many.
    """
    with database.read() as connection:
        part = list_rows(connection, visibility, request)
    return replace(part, rows=place_rows(part.rows, places))


def list_repositories_of_namespace(
    visibility: Visibility, places: FindPlaces, request: ListRequest, *, database: Database
) -> Page[RepositoryRow] | Slice[RepositoryRow]:
    """Return a part of what the caller may pull from in the namespace that ``visibility`` names.

    Raises:
        NamespaceNotFound: it names none: there is none, or it is not for the caller.
        TooManyRows: all were asked for, and there are too many.
    """
    if visibility.namespace is None:
        raise NamespaceNotFound
    with database.read() as connection:
        part = list_rows(connection, visibility, request, namespace=visibility.namespace)
    return replace(part, rows=place_rows(part.rows, places))


def get_repository(visibility: Visibility, places: FindPlaces, repository: int, *, database: Database) -> RepositoryRow:
    """Return a repository.

    Raises:
        RepositoryNotFound: it is missing, empty, or not for the caller.
    """
    with database.read() as connection:
        row = find_row(connection, visibility, repository)
    if row is None:
        raise RepositoryNotFound
    return with_place(row, find_place(row, places))


def list_tags(
    visibility: Visibility, request: ListRequest, *, repository: int | None = None, database: Database
) -> Page[TagRow] | Slice[TagRow]:
    """Return a part of the tags that the caller sees, or of those of one repository.

    Raises:
        RepositoryNotFound: the repository is missing, empty, or not for the caller.
        TooManyRows: all were asked for, and there are too many.
    """
    with database.read() as connection:
        if repository is not None and find_row(connection, visibility, repository) is None:
            raise RepositoryNotFound
        return list_tag_rows(connection, visibility, request, repository=repository)


def list_tag_groups(
    visibility: Visibility, repository: int, request: ListRequest, *, database: Database
) -> Page[Sequence[TagRow]] | Slice[Sequence[TagRow]]:
    """Return a part of a repository's tags by digest.

    Raises:
        RepositoryNotFound: as above.
    """
    with database.read() as connection:
        if find_row(connection, visibility, repository) is None:
            raise RepositoryNotFound
        return list_groups(connection, visibility, repository, request)


def get_tag(
    visibility: Visibility, tag: int, *, repository: int | None = None, with_findings: bool = False, database: Database
) -> TagRow:
    """Return a tag.

    Args:
        repository: the one in which it has to be.
        with_findings: with the worst of what was found in it.

    Raises:
        TagNotFound: it is missing, or not for the caller.
    """
    with database.read() as connection:
        found = find_tag_row(connection, visibility, tag, repository=repository)
        if found is None:
            raise TagNotFound
        return replace(found, vulnerabilities=list_worst(connection, found.scan)) if with_findings else found


def get_freshness(*, database: Database) -> Freshness:
    """Return how far the index has come."""
    with database.read() as connection:
        losses = summarize_open(connection)
        return Freshness(
            find_indexed_at(connection),
            last_finished_at(connection),
            count_pending(connection),
            losses if losses.count else None,
        )
