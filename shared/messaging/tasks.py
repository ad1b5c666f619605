"""Working off a queue of tasks: several at a time, each acknowledged by itself when it is done.

A batch of events is applied in one transaction (``consumer``); a task takes as long as it takes, and
must not hold up those that were given with it. What a failure means is the same there and here, but that
a task is tried again at once where only something that it needs is away.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import structlog
from kombu.message import Message

from shared.config import Secret
from shared.contracts.events import Envelope, InvalidMessage
from shared.messaging.consumer import OUTAGES, Rejected, load_message
from shared.messaging.graveyard import Graveyard
from shared.messaging.mailbox import Mailbox, keep_connected
from shared.messaging.topology import QueueSpec

HELD_PER_THREAD = 4
"""Tasks that are held for each thread, so that none waits for the broker between two."""
LOOK_S = 0.02
"""How often is looked for what is done, while something is under way."""
OUTAGE_PAUSE_S = 1.0

log = structlog.get_logger(__name__)


class LeftUndone(Exception):
    """A handler says that it was told to stop: the task is given to somebody else."""


def work_off(
    broker_url: Secret, queue: QueueSpec, handle: Callable[[Envelope], None], *, threads: int, stop: threading.Event
) -> None:
    """Do a queue's tasks until told to stop; reconnects by itself.

    Args:
        broker_url: see ``open_connection``.
        queue: must have been declared.
        handle: does one task in a thread of its own, and has committed when it returns.
        threads: how many are done at the same time; ``HELD_PER_THREAD`` times as many are held.
        stop: what is under way then is finished, what is only held goes back.
    """

    def work(mailbox: Mailbox) -> None:
        with closing(Graveyard(broker_url, queue.name)) as graveyard, ThreadPoolExecutor(threads) as pool:
            _Worker(queue, handle, mailbox, graveyard, pool, stop).run()

    keep_connected(broker_url, queue.name, work, stop=stop, prefetch_count=HELD_PER_THREAD * threads)


class _Worker:
    """One connection's life."""

    def __init__(
        self,
        queue: QueueSpec,
        handle: Callable[[Envelope], None],
        mailbox: Mailbox,
        graveyard: Graveyard,
        pool: ThreadPoolExecutor,
        stop: threading.Event,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._mailbox = mailbox
        self._graveyard = graveyard
        self._pool = pool
        self._stop = stop
        self._under_way: dict[Future[None], Message] = {}

    def run(self) -> None:
        """Work until told to stop, then finish what is under way."""
        try:
            while not self._stop.is_set():
                self._mailbox.beat()
                self._mailbox.wait(LOOK_S if self._under_way else None)
                self._begin()
                self._settle()
        finally:
            # Also when the connection is lost: then what is done cannot be acknowledged, and is given again.
            self._pool.shutdown(cancel_futures=True)
        self._mailbox.cancel()
        self._settle()

    def _begin(self) -> None:
        for message in self._mailbox.take():
            self._under_way[self._pool.submit(self._do, message)] = message

    def _do(self, message: Message) -> None:
        envelope = load_message(message)
        while True:
            try:
                self._handle(envelope)
            except OUTAGES as fault:
                log.warning("tasks.waiting", queue=self._queue.name, fault=type(fault).__name__)
                if self._stop.wait(OUTAGE_PAUSE_S):
                    raise LeftUndone from fault
            else:
                return

    def _settle(self) -> None:
        for future in [future for future in self._under_way if future.done()]:
            message = self._under_way.pop(future)
            if not future.cancelled():
                self._settle_one(message, future.exception())

    def _settle_one(self, message: Message, fault: BaseException | None) -> None:
        if fault is None:
            message.ack()
        elif isinstance(fault, InvalidMessage | Rejected):
            self._graveyard.bury(message, fault)
        else:
            if not isinstance(fault, LeftUndone):
                log.error("consumer.delivery_failed", queue=self._queue.name, exc_info=fault)
            message.requeue()
