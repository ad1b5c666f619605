"""What people write beside a repository: its description, stars, comments."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection

from services.catalog.storage.people import (
    CommentRow,
    add_comment,
    add_star,
    change_comment,
    drop_comment,
    drop_star,
    find_comment,
    list_comments,
    lock_repository,
    set_description,
)
from services.catalog.storage.repository_queries import RepositoryRow, find_repository
from services.catalog.usecases.not_found import CommentNotFound, RepositoryNotFound
from services.catalog.usecases.placed import FindPlaces, find_place, with_place
from services.catalog.usecases.rights import FindPermissions, NotAllowed, require, require_whole
from shared.api.etags import Expected
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName
from shared.visibility.answers import Caller, Visibility

PERSON = "person"

Value = TypeVar("Value")


def describe(
    visibility: Visibility,
    permissions: FindPermissions,
    places: FindPlaces,
    repository: int,
    description: str,
    *,
    expected: Expected,
    database: Database,
) -> RepositoryRow:
    """Replace a repository's description; an empty one takes it away.

    Args:
        expected: called with the repository as it is, before it is changed.

    Raises:
        RepositoryNotFound, NotAllowed: the caller may not see it, or not describe it.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.read() as connection:
        row = _get(connection, visibility, repository)
    require_whole(visibility)
    require(permissions, RepositoryName(row.full_name), "describe")
    place = find_place(row, places)
    with database.write() as connection:
        lock_repository(connection, repository)
        expected(with_place(_get(connection, visibility, repository), place))
        set_description(connection, repository, description.strip() or None)
        return with_place(_get(connection, visibility, repository), place)


def star(
    visibility: Visibility, places: FindPlaces, repository: int, *, database: Database, clock: Clock
) -> RepositoryRow:
    """Star a repository for the caller; once is enough.

    Raises:
        RepositoryNotFound, NotAllowed: the caller may not see it, or is no person.
    """
    return _change(
        visibility,
        places,
        repository,
        database,
        lambda connection, username: add_star(connection, repository, username, now=clock()),
    )


def unstar(visibility: Visibility, places: FindPlaces, repository: int, *, database: Database) -> RepositoryRow:
    """Take the caller's star back.

    Raises:
        RepositoryNotFound, NotAllowed: as above.
    """
    return _change(
        visibility,
        places,
        repository,
        database,
        lambda connection, username: drop_star(connection, repository, username),
    )


def toggle_star(
    visibility: Visibility, places: FindPlaces, repository: int, *, database: Database, clock: Clock
) -> RepositoryRow:
    """Star a repository, or take the star back, as Portus did.

    Raises:
        RepositoryNotFound, NotAllowed: as above.
    """

    def toggle(connection: Connection, username: str) -> None:
        if not drop_star(connection, repository, username):
            add_star(connection, repository, username, now=clock())

    return _change(visibility, places, repository, database, toggle)


def show_comments(
    visibility: Visibility, repository: int, request: ListRequest, *, database: Database
) -> Page[CommentRow] | Slice[CommentRow]:
    """Return a part of the comments on a repository.

    Raises:
        RepositoryNotFound: it is missing, or not for the caller.
        TooManyRows: all were asked for, and there are too many.
    """
    with database.read() as connection:
        _get(connection, visibility, repository)
        part = list_comments(connection, repository, request)
    return replace(part, rows=[_shown(visibility, row) for row in part.rows])


def show_comment(visibility: Visibility, repository: int, number: int, *, database: Database) -> CommentRow:
    """Return a comment.

    Raises:
        RepositoryNotFound, CommentNotFound: there is no such thing, or not for the caller.
    """
    with database.read() as connection:
        return _shown(visibility, _get_comment(connection, visibility, repository, number))


def comment(visibility: Visibility, repository: int, body: str, *, database: Database, clock: Clock) -> CommentRow:
    """Comment on a repository; whoever sees it and has signed in may.

    Raises:
        RepositoryNotFound, NotAllowed: as above.
    """
    author = _person(visibility).username
    with database.write() as connection:
        _get(connection, visibility, repository)
        return _shown(visibility, add_comment(connection, repository, author, body, now=clock()))


def reword(
    visibility: Visibility, repository: int, number: int, body: str, *, database: Database, clock: Clock
) -> CommentRow:
    """Change what the caller has written.

    Raises:
        RepositoryNotFound, CommentNotFound: there is no such thing, or not for the caller.
        NotAllowed: somebody else has written it.
    """
    with database.write() as connection:
        found = _get_comment(connection, visibility, repository, number, lock=True)
        if found.author != _person(visibility).username:
            raise NotAllowed("Only its author may change a comment.")
        return _shown(visibility, change_comment(connection, number, body, now=clock()))


def withdraw(visibility: Visibility, repository: int, number: int, *, database: Database) -> None:
    """Delete a comment: one's own, or as an administrator anybody's.

    Raises:
        RepositoryNotFound, CommentNotFound: there is no such thing, or not for the caller.
        NotAllowed: somebody else has written it.
    """
    with database.write() as connection:
        found = _get_comment(connection, visibility, repository, number, lock=True)
        if not _may_withdraw(_person(visibility), found):
            raise NotAllowed("Only its author and administrators may delete a comment.")
        drop_comment(connection, number)


def _change(
    visibility: Visibility,
    places: FindPlaces,
    repository: int,
    database: Database,
    change: Callable[[Connection, str], object],
) -> RepositoryRow:
    with database.read() as connection:
        row = _get(connection, visibility, repository)
    username = _person(visibility).username
    # Asked before anything is changed, and while no transaction waits for the answer.
    place = find_place(row, places)
    with database.write() as connection:
        lock_repository(connection, repository)
        change(connection, username)
        return with_place(_get(connection, visibility, repository), place)


def _get(connection: Connection, visibility: Visibility, repository: int) -> RepositoryRow:
    row = find_repository(connection, visibility, repository)
    if row is None:
        raise RepositoryNotFound
    return row


def _get_comment(
    connection: Connection, visibility: Visibility, repository: int, number: int, *, lock: bool = False
) -> CommentRow:
    _get(connection, visibility, repository)
    found = find_comment(connection, repository, number, lock=lock)
    if found is None:
        raise CommentNotFound
    return found


def _shown(visibility: Visibility, row: CommentRow) -> CommentRow:
    person = _find_person(visibility)
    return replace(row, destroyable=person is not None and _may_withdraw(person, row))


def _may_withdraw(person: Caller, row: CommentRow) -> bool:
    return row.author == person.username or person.administrator


def _person(visibility: Visibility) -> Caller:
    person = _find_person(visibility)
    require_whole(visibility)
    if person is None:
        raise NotAllowed("Only people who have signed in may.")
    return person


def _find_person(visibility: Visibility) -> Caller | None:
    caller = visibility.caller
    return caller if caller and caller.kind == PERSON and not caller.narrowed else None
