"""A pace that all workers keep together."""

import threading
import time

from services.catalog.storage.pace import take_places
from shared.clock import Clock
from shared.database import Database

NAME = "registry"
BURST_S = 1.0
"""A second's worth may come at once after a pause."""
STRETCH_S = 0.25
"""So much is taken from the database at a time, or one place where that is longer."""


class SharedPace:
    """Tells each caller how long to wait, so that no second has more than so many of them, whoever they are.

    Clocks of workers may differ by a second or two: the one that is behind waits that much longer now and
    then, and the pace is kept all the same.

    Args:
        rate: callers a second.
    """

    def __init__(self, rate: int, database: Database, clock: Clock) -> None:
        self._step_s = 1.0 / rate
        self._places = max(1, round(rate * STRETCH_S))
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._left = 0
        self._next = 0.0

    def next_pause(self) -> float:
        """Take a place and return in how many seconds it is there."""
        with self._lock:
            if not self._left:
                self._take_stretch()
            self._left -= 1
            self._next += self._step_s
            return max(0.0, self._next - time.monotonic())

    def _take_stretch(self) -> None:
        now_s = self._clock().timestamp()
        span_s = self._places * self._step_s
        with self._database.write() as connection:
            begins_at = take_places(connection, NAME, now_s=now_s, span_s=span_s, burst_s=BURST_S)
        self._next = time.monotonic() + begins_at - now_s
        self._left = self._places
