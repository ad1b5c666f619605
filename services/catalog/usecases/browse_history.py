"""What tags pointed at."""

from collections.abc import Sequence

from sqlalchemy import Connection

from services.catalog.domain.history import ANY_TAG, Period, TagWrite, fold_history
from services.catalog.domain.occurrences import Stamp
from services.catalog.storage.repository_queries import find_repository
from services.catalog.storage.tag_history import MAX_WRITES, WriteRow, list_writes, list_writes_of
from services.catalog.usecases.not_found import RepositoryNotFound, TagNotFound
from shared.api.paging import Cursor, ListRequest, Page
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
    visibility: Visibility, repository: int, tag: Tag, request: ListRequest, *, database: Database
) -> Page[Period] | Slice[Period]:
    """Return a part of what a tag pointed at, newest first: by number out of its last writes, by key out of all.

    Raises:
        RepositoryNotFound, TagNotFound: nothing is remembered of it, or it is not for the caller.
    """
    with database.read() as connection:
        _require(connection, visibility, repository)
        list_part = _by_key if request.by_key else _by_number
        return list_part(connection, repository, tag, request)


def _by_number(connection: Connection, repository: int, tag: Tag, request: ListRequest) -> Page[Period]:
    newest = fold_history(list_writes_of(connection, repository, tag))[::-1]
    if not newest:
        raise TagNotFound
    page = request.page
    return Page(newest[page.offset : page.offset + page.per_page], len(newest), page)


def _by_key(connection: Connection, repository: int, tag: Tag, request: ListRequest) -> Slice[Period]:
    until = Stamp(request.after.value, str(request.after.id)) if request.after else None
    writes = list_writes_of(connection, repository, tag, until=until)
    if not writes and until is None:
        raise TagNotFound
    newest = fold_history(writes)[::-1]
    if until and newest and newest[0].end is None:
        # What is open where the part before ended was its last row: no later write changes those before it.
        newest = newest[1:]
    rows = newest[: request.page.per_page]
    return Slice(rows, request, _following(writes, rows, is_all=len(rows) == len(newest)))


def _following(writes: Sequence[TagWrite], rows: Sequence[Period], *, is_all: bool) -> Cursor | None:
    if not is_all:
        return Cursor(rows[-1].since, rows[-1].event)
    own = [write.stamp for write in writes if write.tag != ANY_TAG]
    # These may not be all writes, even where they began nothing.
    return Cursor(own[-1].time, own[-1].id) if len(own) == MAX_WRITES else None


def _require(connection: Connection, visibility: Visibility, repository: int) -> None:
    if find_repository(connection, visibility, repository, or_empty=True) is None:
        raise RepositoryNotFound
