"""Answers to creations are kept for a day, for those who ask again."""

from services.notifier.storage.tables import idempotency_keys
from shared.clock import Clock
from shared.database import Database
from shared.idempotency import purge_answers


def forget_answers(*, database: Database, clock: Clock) -> int:
    """Delete a bounded number of answers that are not given again, and return how many."""
    with database.write() as connection:
        return purge_answers(connection, idempotency_keys, now=clock())
