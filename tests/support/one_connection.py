"""A database that is one open transaction, so that a property's example can be rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from shared.database import Database


class OneConnection(Database):
    """Reads through a connection that somebody else opened and will roll back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        yield self._connection
