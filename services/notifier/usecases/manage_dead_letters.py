"""What administrators do with dead letters: look, let them be tried again, throw them away.

DeadLetterNotFound   there is no such letter, or it is gone
"""

from collections.abc import Callable

from sqlalchemy import Connection

from services.notifier.storage.dead_letters import (
    DeadLetterRow,
    Filters,
    WholeDeadLetter,
    count_letters,
    drop_letters,
    find_letter,
    list_letters,
    request_replay,
)
from services.notifier.usecases.expectations import CountDiffers
from services.notifier.usecases.log_acts import log_act
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.contracts.events import DeadLettersDropped, DeadLettersReplayed
from shared.database import Database
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_administrator, require_overseer


class DeadLetterNotFound(Exception):
    """There is no such letter, or it is gone."""

    def __init__(self) -> None:
        super().__init__("There is no such dead letter. It may have been replayed or dropped.")


def list_dead_letters(
    visibility: Visibility, asked: ListRequest, *, database: Database
) -> Page[DeadLetterRow] | Slice[DeadLetterRow]:
    """Return a part of the letters.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
    """
    require_overseer(visibility)
    with database.read() as connection:
        return list_letters(connection, asked)


def get_dead_letter(visibility: Visibility, letter: int, *, database: Database) -> WholeDeadLetter:
    """Return one letter with its body.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
        DeadLetterNotFound: see above.
    """
    require_overseer(visibility)
    with database.read() as connection:
        found = find_letter(connection, letter)
    if found is None:
        raise DeadLetterNotFound
    return found


def replay_dead_letters(
    visibility: Visibility, filters: Filters, *, expect: int | None, database: Database, clock: Clock
) -> int:
    """Let letters go back to their queues, and return how many that are; the worker returns them.

    Args:
        expect: how many that should be; ``None``: they are only counted.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
        DeadLetterNotFound: the filters name one that is gone.
        CountDiffers: nothing has been changed.
    """

    def replay(connection: Connection) -> int:
        return request_replay(connection, filters, now=clock())

    return _change(visibility, filters, replay, DeadLettersReplayed, expect=expect, database=database, clock=clock)


def drop_dead_letters(
    visibility: Visibility, filters: Filters, *, expect: int | None, database: Database, clock: Clock
) -> int:
    """Throw letters away, and return how many that are.

    Args:
        expect: how many that should be; ``None``: they are only counted.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
        DeadLetterNotFound: the filters name one that is gone.
        CountDiffers: nothing has been changed.
    """

    def drop(connection: Connection) -> int:
        return drop_letters(connection, filters)

    return _change(visibility, filters, drop, DeadLettersDropped, expect=expect, database=database, clock=clock)


def _change(
    visibility: Visibility,
    filters: Filters,
    change: Callable[[Connection], int],
    event: type[DeadLettersReplayed] | type[DeadLettersDropped],
    *,
    expect: int | None,
    database: Database,
    clock: Clock,
) -> int:
    actor = require_administrator(visibility).username
    if expect is None:
        with database.read() as connection:
            return count_letters(connection, filters)
    with database.write() as connection:
        changed = change(connection)
        if "id" in filters and changed == 0:
            raise DeadLetterNotFound
        if changed != expect:
            # Leaving the transaction by an exception takes the change back.
            raise CountDiffers(expect, changed)
        if changed:
            log_act(connection, event(actor, changed, filters.get("queue")), clock=clock)
    return changed
