"""What people write beside repositories: descriptions, stars, comments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from services.catalog.storage.statements import new_insert
from services.catalog.storage.tables import comments, repositories, stars
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part

COMMENTS = Listing(
    {
        "id": Listed(comments.c.id),
        "author": Listed(comments.c.author),
        "created_at": Listed(comments.c.created_at),
        "updated_at": Listed(comments.c.updated_at),
    },
    search=[comments.c.body],
    order=Order("created_at", descending=True),
)
"""What the comments on a repository are sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class CommentRow:
    """A comment."""

    id: int
    repository_id: int
    author: str
    body: str
    created_at: datetime
    updated_at: datetime
    destroyable: bool = False
    """Whether the caller may delete it."""


def lock_repository(connection: Connection, repository: int) -> None:
    """Keep others from changing a repository until the transaction ends."""
    connection.execute(select(repositories.c.id).where(repositories.c.id == repository).with_for_update())


def set_description(connection: Connection, repository: int, description: str | None) -> None:
    """Replace what is said of a repository."""
    connection.execute(update(repositories).where(repositories.c.id == repository).values(description=description))


def add_star(connection: Connection, repository: int, username: str, *, now: datetime) -> None:
    """Star a repository, at most once."""
    row = {"repository_id": repository, "username": username, "created_at": now}
    connection.execute(new_insert(connection, stars).on_conflict_do_nothing(), row)
    _count_stars(connection, repository)


def drop_star(connection: Connection, repository: int, username: str) -> bool:
    """Take a star back; tell whether there was one."""
    own = (stars.c.repository_id == repository) & (stars.c.username == username)
    gone = connection.execute(delete(stars).where(own)).rowcount
    _count_stars(connection, repository)
    return gone > 0


def _count_stars(connection: Connection, repository: int) -> None:
    total = select(func.count()).select_from(stars).where(stars.c.repository_id == repository).scalar_subquery()
    connection.execute(update(repositories).where(repositories.c.id == repository).values(stars=total))


def list_comments(
    connection: Connection, repository: int, request: ListRequest
) -> Page[CommentRow] | Slice[CommentRow]:
    """Return a part of the comments on a repository."""
    query = select(comments).where(comments.c.repository_id == repository)
    return fetch_part(connection, query, COMMENTS, request, load=_comment)


def find_comment(connection: Connection, repository: int, comment: int, *, lock: bool = False) -> CommentRow | None:
    """Return a comment on a repository.

    Args:
        lock: whether nobody else may change it until the caller's transaction has ended.
    """
    query = select(comments).where(comments.c.id == comment, comments.c.repository_id == repository)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _comment(row) if row else None


def add_comment(connection: Connection, repository: int, author: str, body: str, *, now: datetime) -> CommentRow:
    """Keep a comment."""
    values = {"repository_id": repository, "author": author, "body": body, "created_at": now, "updated_at": now}
    return _comment(connection.execute(insert(comments).values(values).returning(comments)).one())


def change_comment(connection: Connection, comment: int, body: str, *, now: datetime) -> CommentRow:
    """Replace what a comment says."""
    changed = update(comments).where(comments.c.id == comment).values(body=body, updated_at=now)
    return _comment(connection.execute(changed.returning(comments)).one())


def drop_comment(connection: Connection, comment: int) -> None:
    """Forget a comment."""
    connection.execute(delete(comments).where(comments.c.id == comment))


def forget_words(connection: Connection, repository: int) -> None:
    """Forget all that was written beside a repository, which is gone."""
    for table in (stars, comments):
        connection.execute(delete(table).where(table.c.repository_id == repository))
    nothing = {"description": None, "stars": 0}
    connection.execute(update(repositories).where(repositories.c.id == repository).values(nothing))


def _comment(row: Row[Any]) -> CommentRow:
    return CommentRow(**row._mapping)
