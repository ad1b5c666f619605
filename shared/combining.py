"""Group commit: what is cheaper done for many at once is done by one of those who want it."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Combined(Generic[Item, Result]):
    """Does a piece of work for all threads that want it: whoever comes first does it for all who wait.

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
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._turn = threading.Lock()

    def do(self, item: Item) -> Result:
        """Return what came of an item, or raise what its work raised."""
        call = _Call[Item, Result](item)
        self._waiting.append(call)
        with self._turn:
            while not call.is_done:
                self._serve()
        return call.outcome()

    def _serve(self) -> None:
        # Only the one whose turn it is takes anything out.
        calls = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
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
                call.fault, call.is_done = fault, True
            return False
        for call in calls:
            call.fault, call.is_done = None, True
        return True


@dataclass(eq=False, slots=True)
class _Call(Generic[Item, Result]):
    item: Item
    is_done: bool = False
    fault: BaseException | None = None
    results: Sequence[Result] = ()

    def outcome(self) -> Result:
        if self.fault:
            raise self.fault
        return self.results[0]
