"""What tags pointed at."""

from collections.abc import Sequence

from sqlalchemy import Connection

from services.catalog.domain.history import Period, fold_history
from services.catalog.storage.repository_queries import find_repository
from services.catalog.storage.tag_history import WriteRow, list_writes, list_writes_of
from services.catalog.usecases.not_found import RepositoryNotFound, TagNotFound
from shared.api.paging import ListRequest, Page, PageRequest
from shared.api.slices import Slice
from shared.database import Database
from shared.oci.names import Tag
from shared.visibility.answers import Visibility


def list_history(
    visibility: Visibility, repository: int, request: ListRequest, *, database: Database
) -> Slice[WriteRow]:
    """Return a part of what was written to a repository's tags, also of those that are gone.

    Raises:
        RepositoryNotFound: the repository is missing, or not for the caller.
    """
    with database.read() as connection:
        _require(connection, visibility, repository)
        return list_writes(connection, repository, request)


def list_periods(
    visibility: Visibility, repository: int, tag: Tag, page: PageRequest, *, database: Database
) -> Page[Period]:
    """Return a page of what a tag pointed at, newest first.

    Raises:
        RepositoryNotFound, TagNotFound: nothing is remembered of it, or it is not for the caller.
    """
    with database.read() as connection:
        _require(connection, visibility, repository)
        periods: Sequence[Period] = fold_history(list_writes_of(connection, repository, tag))
    if not periods:
        raise TagNotFound
    newest = list(reversed(periods))
    return Page(newest[page.offset : page.offset + page.per_page], len(newest), page)


def _require(connection: Connection, visibility: Visibility, repository: int) -> None:
    if find_repository(connection, visibility, repository, or_empty=True) is None:
        raise RepositoryNotFound
