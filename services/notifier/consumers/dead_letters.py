"""``*.dead``: messages that could not be applied, kept in the database, and returned from there when asked."""

from collections.abc import Sequence
from threading import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.notifier.usecases.keep_dead_letters import keep_dead_letters, return_due_letters
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database
from shared.messaging.dead_letters import DeadLetter, consume_dead_letters, return_letters
from shared.messaging.topology import QueueSpec

IDLE_S = 0.5
"""How often is looked for letters that are to go back."""
PAUSE_S = 2.0
"""Pause while the database, or a queue, takes nothing."""

log = structlog.get_logger(__name__)


def keep_letters_of(broker_url: Secret, queue: QueueSpec, *, database: Database, clock: Clock, stop: Event) -> None:
    """Keep a queue's dead letters until told to stop."""

    def keep(letters: Sequence[DeadLetter]) -> None:
        keep_dead_letters(letters, database=database, clock=clock)

    consume_dead_letters(broker_url, queue, keep, stop=stop)


def return_letters_when_asked(broker_url: Secret, *, database: Database, clock: Clock, stop: Event) -> None:
    """Return letters to their queues, when that is asked, until told to stop."""

    def send(letters: Sequence[DeadLetter]) -> list[str | None]:
        return return_letters(broker_url, letters)

    while not stop.is_set():
        try:
            done = return_due_letters(send, database=database, clock=clock)
            stop.wait(PAUSE_S if done.postponed else 0 if done.returned else IDLE_S)
        except SQLAlchemyError as fault:
            log.warning("worker.database_away", fault=type(fault).__name__)
            stop.wait(PAUSE_S)
