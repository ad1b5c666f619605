"""Group commit: what is cheaper done for many at once is done by one of those who want it."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Combined(Generic[Item, Result]):
    """Does a piece of work for all threads that want it: whoever comes first does it for all who wait.

    Whoever comes while it is done waits, and the first of them does it for all who have come by then.

    Args:
        work: gets one or more items and returns a result for each; may be done again with each alone when
            it fails with several, so it has to leave nothing behind when it fails.
        limit: how many items it gets at the most.
        blameless: faults that are no item's, so that it is not done again because of them.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        limit: int,
        blameless: tuple[type[Exception], ...] = (),
    ) -> None:
        self._work = work
        self._limit = limit
        self._blameless = blameless
        self._lock = threading.Lock()
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._is_led = False

    def do(self, item: Item, *, patience_s: float | None = None) -> Result:
        """Return what came of an item, or raise what its work raised.

        Args:
            patience_s: how long to wait for whoever does it for others; ``None``: for ever.

        Raises:
            TimeoutError: it took longer; what is being done for the item is still done.
        """
        call = _Call[Item, Result](item)
        with self._lock:
            self._waiting.append(call)
            call.leads = not self._is_led
            self._is_led = True
        if not call.leads:
            self._wait(call, patience_s)
        if call.leads:
            self._lead()
        return call.outcome()

    def _wait(self, call: "_Call[Item, Result]", patience_s: float | None) -> None:
        """Return when a call was served, or is to lead."""
        if call.woken.acquire(timeout=-1 if patience_s is None else patience_s):
            return
        with self._lock:
            # Its turn may have come in this very moment.
            if not call.woken.acquire(blocking=False) and not call.leads:
                with suppress(ValueError):
                    self._waiting.remove(call)
                raise TimeoutError

    def _lead(self) -> None:
        """Serve those who wait, and let the first of those who came meanwhile lead on.

        Each thread is woken once, when it is served or is to lead: with a lock for whose turn it is, all that were
        served would have to get it, one after the other, before the next could begin.
        """
        try:
            self._serve()
        finally:
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                self._is_led = heir is not None
                if heir:
                    heir.leads = True
            if heir:
                heir.woken.release()

    def _serve(self) -> None:
        with self._lock:
            calls = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
        try:
            self._do_all(calls)
        finally:
            for call in calls:
                if not call.leads:
                    call.woken.release()

    def _do_all(self, calls: "Sequence[_Call[Item, Result]]") -> None:
        if not self._try(calls) and len(calls) > 1 and not isinstance(calls[0].fault, self._blameless):
            # One of them is to blame, and the others need not suffer for it.
            for call in calls:
                self._try([call])

    def _try(self, calls: "Sequence[_Call[Item, Result]]") -> bool:
        try:
            results = self._work([call.item for call in calls])
            for call, result in zip(calls, results, strict=True):
                call.results = [result]
        except BaseException as fault:  # noqa: BLE001 (raised in the thread that it belongs to)
            for call in calls:
                call.fault = fault
            return False
        for call in calls:
            call.fault = None
        return True


def _taken_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Call(Generic[Item, Result]):
    item: Item
    woken: threading.Lock = field(default_factory=_taken_lock)
    leads: bool = False
    fault: BaseException | None = None
    results: Sequence[Result] = ()

    def outcome(self) -> Result:
        if self.fault:
            raise self.fault
        return self.results[0]
