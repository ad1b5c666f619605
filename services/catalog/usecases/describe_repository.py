"""What people write beside a repository: its description, stars, comments."""

from collections.abc import Callable
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
from services.catalog.usecases.rights import FindPermissions, NotAllowed, require
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
    require(permissions, RepositoryName(row.full_name), "describe")
    with database.write() as connection:
        lock_repository(connection, repository)
        expected(_get(connection, visibility, repository))
        set_description(connection, repository, description.strip() or None)
        return _get(connection, visibility, repository)


def star(visibility: Visibility, repository: int, *, database: Database, clock: Clock) -> RepositoryRow:
    """Star a repository for the caller; once is enough.

    Raises:
        RepositoryNotFound, NotAllowed: the caller may not see it, or is no person.
    """
    return _change(
        visibility,
        repository,
        database,
        lambda connection, username: add_star(connection, repository, username, now=clock()),
    )


def unstar(visibility: Visibility, repository: int, *, database: Database) -> RepositoryRow:
    """Take the caller's star back.

    Raises:
        RepositoryNotFound, NotAllowed: as above.
    """
    return _change(
        visibility, repository, database, lambda connection, username: drop_star(connection, repository, username)
    )


def toggle_star(visibility: Visibility, repository: int, *, database: Database, clock: Clock) -> RepositoryRow:
    """Star a repository, or take the star back, as Portus did.

    Raises:
        RepositoryNotFound, NotAllowed: as above.
    """

    def toggle(connection: Connection, username: str) -> None:
        if not drop_star(connection, repository, username):
            add_star(connection, repository, username, now=clock())

    return _change(visibility, repository, database, toggle)


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
        return list_comments(connection, repository, request)


def comment(visibility: Visibility, repository: int, body: str, *, database: Database, clock: Clock) -> CommentRow:
    """Comment on a repository; whoever sees it and has signed in may.

    Raises:
        RepositoryNotFound, NotAllowed: as above.
    """
    author = _person(visibility).username
    with database.write() as connection:
        _get(connection, visibility, repository)
        return add_comment(connection, repository, author, body, now=clock())


def reword(
    visibility: Visibility, repository: int, number: int, body: str, *, database: Database, clock: Clock
) -> CommentRow:
    """Change what the caller has written.

    Raises:
        RepositoryNotFound, CommentNotFound: there is no such thing, or not for the caller.
        NotAllowed: somebody else has written it.
    """
    with database.write() as connection:
        found = _get_comment(connection, visibility, repository, number)
        if found.author != _person(visibility).username:
            raise NotAllowed("Only its author may change a comment.")
        return change_comment(connection, number, body, now=clock())


def withdraw(visibility: Visibility, repository: int, number: int, *, database: Database) -> None:
    """Delete a comment: one's own, or as an administrator anybody's.

    Raises:
        RepositoryNotFound, CommentNotFound: there is no such thing, or not for the caller.
        NotAllowed: somebody else has written it.
    """
    with database.write() as connection:
        found = _get_comment(connection, visibility, repository, number)
        person = _person(visibility)
        if found.author != person.username and not person.administrator:
            raise NotAllowed("Only its author and administrators may delete a comment.")
        drop_comment(connection, number)


def _change(
    visibility: Visibility, repository: int, database: Database, change: Callable[[Connection, str], object]
) -> RepositoryRow:
    with database.write() as connection:
        _get(connection, visibility, repository)
        username = _person(visibility).username
        lock_repository(connection, repository)
        change(connection, username)
        return _get(connection, visibility, repository)


def _get(connection: Connection, visibility: Visibility, repository: int) -> RepositoryRow:
    row = find_repository(connection, visibility, repository)
    if row is None:
        raise RepositoryNotFound
    return row


def _get_comment(connection: Connection, visibility: Visibility, repository: int, number: int) -> CommentRow:
    _get(connection, visibility, repository)
    found = find_comment(connection, repository, number)
    if found is None:
        raise CommentNotFound
    return found


def _person(visibility: Visibility) -> Caller:
    caller = visibility.caller
    if caller is None or caller.kind != PERSON:
        raise NotAllowed("Only people who have signed in may.")
    return caller
