"""What a caller may see of the index."""

from dataclasses import dataclass
from datetime import datetime

from services.catalog.storage.crawls import last_finished_at
from services.catalog.storage.pending import count_pending
from services.catalog.storage.progress import find_indexed_at
from services.catalog.storage.repository_queries import RepositoryFilter, RepositoryRow
from services.catalog.storage.repository_queries import find_repository as find_row
from services.catalog.storage.repository_queries import list_repositories as list_rows
from services.catalog.storage.tag_queries import TagRow
from services.catalog.storage.tag_queries import list_tags as list_tag_rows
from shared.api.paging import Page, PageRequest
from shared.database import Database
from shared.visibility.answers import Visibility


class RepositoryNotFound(Exception):
    """There is no such repository, or the caller may not see it: the same answer, so that nobody learns which."""

    def __init__(self) -> None:
        super().__init__("There is no such repository, or you may not see it.")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the index has come."""

    indexed_at: datetime | None
    """When notifications were applied last."""
    crawled_at: datetime | None
    """When a crawl of the registry came to its end last."""
    waiting: int
    """Manifests that could not be fetched yet."""


def list_repositories(
    visibility: Visibility, wanted: RepositoryFilter, page: PageRequest, *, database: Database
) -> Page[RepositoryRow]:
    """Return a page of the repositories that the caller may pull from."""
    with database.read() as connection:
        rows, total = list_rows(connection, visibility, wanted, offset=page.offset, limit=page.per_page)
    return Page(rows, total, page)


def get_repository(visibility: Visibility, repository: int, *, database: Database) -> RepositoryRow:
    """Return a repository.

    Raises:
        RepositoryNotFound: it is missing, empty, or not for the caller.
    """
    with database.read() as connection:
        row = find_row(connection, visibility, repository)
    if row is None:
        raise RepositoryNotFound
    return row


def list_tags(
    visibility: Visibility, repository: int, page: PageRequest, *, q: str | None, database: Database
) -> Page[TagRow]:
    """Return a page of a repository's tags, newest push first.

    Raises:
        RepositoryNotFound: the repository is missing, empty, or not for the caller.
    """
    with database.read() as connection:
        if find_row(connection, visibility, repository) is None:
            raise RepositoryNotFound
        rows, total = list_tag_rows(connection, visibility, repository, q=q, offset=page.offset, limit=page.per_page)
    return Page(rows, total, page)


def get_freshness(*, database: Database) -> Freshness:
    """Return how far the index has come."""
    with database.read() as connection:
        return Freshness(find_indexed_at(connection), last_finished_at(connection), count_pending(connection))
