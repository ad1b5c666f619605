"""Webhooks told of what is due: several at the same time, each by a thread of its own.

Receivers that fail, or take long, have half of the threads to themselves and leave the others alone. No host has
more than half of them either: what it takes is known only when the first has answered.
"""

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.notifier.storage.turns import Lane
from services.notifier.usecases.deliver import Deliverer, Turn

IDLE_S = 0.25
"""How often is looked for what is due."""
PAUSE_S = 2.0
"""Pause while the database does not answer."""

log = structlog.get_logger(__name__)


def deliver_webhooks(deliverer: Deliverer, *, threads: int, stop: Event) -> None:
    """Give webhooks their turns until told to stop; what is being sent then is finished."""
    under_way: dict[Future[None], Turn] = {}
    with ThreadPoolExecutor(threads, thread_name_prefix="webhook") as pool:
        while not stop.is_set():
            try:
                for turn in _give_turns(deliverer, threads, list(under_way.values())):
                    under_way[pool.submit(_take_turn, deliverer, turn, stop)] = turn
            except SQLAlchemyError as fault:
                log.warning("worker.database_away", fault=type(fault).__name__)
                stop.wait(PAUSE_S)
            # Whoever ends a turn may have another one at once; it is looked for at least this often.
            done = wait(under_way, timeout=IDLE_S, return_when="FIRST_COMPLETED").done if under_way else set()
            if not under_way:
                stop.wait(IDLE_S)
            for future in done:
                del under_way[future]


def _give_turns(deliverer: Deliverer, threads: int, taken: list[Turn]) -> list[Turn]:
    half, given = max(1, threads // 2), list[Turn]()

    def give(*, sound: bool, most: int) -> None:
        lane = Lane(sound, Counter(turn.host for turn in (*taken, *given)), half)
        given.extend(deliverer.give_turns(lane, limit=min(threads - len(taken) - len(given), most)))

    def unsound() -> int:
        return sum(not turn.sound for turn in (*taken, *given))

    # One goes first, or those that are always due would leave them none.
    if threads > 1:
        give(sound=False, most=1 - unsound())
    give(sound=True, most=threads)
    give(sound=False, most=half - unsound())
    return given


def _take_turn(deliverer: Deliverer, turn: Turn, stop: Event) -> None:
    try:
        deliverer.take_turn(turn, stop)
    except SQLAlchemyError as fault:
        # The turn ends with its lease, and somebody else goes on.
        log.warning("worker.database_away", fault=type(fault).__name__)
    except Exception:
        # A thread's outermost loop: one webhook's fault is not the others'.
        log.exception("webhooks.turn_failed", webhook=turn.webhook)
