"""Dead letters come out of their queues into the database, and go back from there.

A letter is deleted only after its queue has confirmed it, so a crash in between sends it twice and
never not at all; consumers know what they have applied.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from services.notifier.storage.dead_letters import (
    NewDeadLetter,
    Returning,
    count_letters,
    forget_returned,
    keep_letters,
    list_returning,
    postpone_replay,
)
from shared.clock import Clock
from shared.contracts.words import find_word
from shared.database import Database
from shared.messaging.consumer import Unavailable
from shared.messaging.dead_letters import DeadLetter

MAX_KEPT = 100_000
"""When as many are kept, further ones stay in the broker until there is room."""

BATCH_SIZE = 100
LONGEST_REASON = 2000

POSTPONED_FOR = timedelta(seconds=30)
"""How long a letter waits after its queue took none."""

ReturnLetters = Callable[[Sequence[DeadLetter]], list[str | None]]
"""Publishes letters to their queues, and says for each why that is not confirmed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of an attempt to return letters."""

    returned: int = 0
    postponed: int = 0


def keep_dead_letters(
    letters: Sequence[DeadLetter], *, database: Database, clock: Clock, max_kept: int = MAX_KEPT
) -> None:
    """Keep letters, whatever they hold.

    Raises:
        Unavailable: there is no room.
    """
    with database.write() as connection:
        if count_letters(connection) >= max_kept:
            raise Unavailable(f"{max_kept} dead letters are kept already: replay or drop some")
        keep_letters(connection, [_read(letter) for letter in letters], now=clock())


def return_due_letters(send: ReturnLetters, *, database: Database, clock: Clock) -> Returned:
    """Return a batch of the letters for which that was asked; those that are confirmed are forgotten."""
    with database.read() as connection:
        due = list_returning(connection, now=clock(), limit=BATCH_SIZE)
    if not due:
        return Returned()
    faults = send([DeadLetter(letter.queue, letter.body, "") for letter in due])
    confirmed = [letter for letter, fault in zip(due, faults, strict=True) if fault is None]
    refused = [letter for letter, fault in zip(due, faults, strict=True) if fault is not None]
    _note_refusals(refused, faults)
    with database.write() as connection:
        forget_returned(connection, confirmed)
        postpone_replay(connection, refused, until=clock() + POSTPONED_FOR)
    return Returned(len(confirmed), len(refused))


def _note_refusals(refused: Sequence[Returning], faults: Sequence[str | None]) -> None:
    if refused:
        why = next(fault for fault in faults if fault)
        log.warning("dead_letters.not_returned", count=len(refused), queue=refused[0].queue, fault=why)


def _read(letter: DeadLetter) -> NewDeadLetter:
    message = _attributes(letter.body)
    return NewDeadLetter(
        queue=letter.queue,
        body=letter.body,
        # PostgreSQL stores neither NUL nor half of a surrogate pair.
        reason=letter.reason.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:LONGEST_REASON],
        message_id=find_word(message.get("id")),
        source=find_word(message.get("source")),
        type=find_word(message.get("type")),
        subject=find_word(message.get("subject")),
    )


def _attributes(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
