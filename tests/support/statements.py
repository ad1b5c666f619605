"""What is sent to a database, and a database that is away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect every statement of this process, the frames of transactions apart."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with _before_every_statement(note):
        yield seen


@contextmanager
def commits() -> Iterator[list[int]]:
    """Count the transactions of this process that are committed, in the one number of a list."""
    count = [0]

    def note(_connection: object) -> None:
        count[0] += 1

    event.listen(Engine, "commit", note)
    try:
        yield count
    finally:
        event.remove(Engine, "commit", note)


@contextmanager
def database_away() -> Iterator[None]:
    """Let every statement of this process fail as it does when the server is gone."""

    def fail(*_arguments: object) -> None:
        raise OperationalError("SELECT secret_column", {}, Exception("connection refused at 192.0.2.9"))

    with _before_every_statement(fail):
        yield


@contextmanager
def _before_every_statement(listener: Callable[..., None]) -> Iterator[None]:
    event.listen(Engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listener)
