"""A report of what works and what does not, which anybody may ask for and nobody can make dear.

Whatever the number of callers, each check runs once in a few seconds, in one thread; meanwhile all get
the last report.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

KEPT_FOR_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one part works, and one sentence about it that is fit for anybody's eyes."""

    msg: str
    success: bool


Report = Mapping[str, Finding]


class Checkup:
    """Looks at several parts.

    Args:
        checks: by the name of the part; none may take longer than a few seconds.
        kept_for_s: how long a report is good.
        now: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        checks: Mapping[str, Callable[[], Finding]],
        *,
        kept_for_s: float = KEPT_FOR_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._kept_for_s = kept_for_s
        self._now = now
        self._looking = threading.Lock()
        self._last: tuple[float, Report] | None = None

    def __call__(self) -> Report:
        """Return the last report, or a new one when that is too old and nobody else is making one."""
        last = self._last
        if last is not None and self._is_good(last):
            return last[1]
        # Only the very first callers wait for one another: there is nothing yet to be told.
        if not self._looking.acquire(blocking=last is None):
            return last[1] if last is not None else {}
        try:
            return self._look()
        finally:
            self._looking.release()

    def _look(self) -> Report:
        last = self._last
        if last is not None and self._is_good(last):
            return last[1]
        report = {name: check() for name, check in self._checks.items()}
        self._last = (self._now(), report)
        return report

    def _is_good(self, last: tuple[float, Report]) -> bool:
        return self._now() - last[0] < self._kept_for_s
