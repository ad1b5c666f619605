"""Those who ask take turns, so that they never keep a registry waiting.

A question to ``auth`` may take its time, and a service has few threads: however many ask, half of the
threads stay free for what registries report.
"""

from threading import BoundedSemaphore

from flask import Blueprint, g

from shared.api.problems import Problem

RETRY_AFTER_S = 1
_TURN = "portus_turn"


class Turns:
    """A bounded number of requests at once.

    Args:
        threads: of the process.
    """

    def __init__(self, threads: int) -> None:
        self._free = BoundedSemaphore(max(1, threads // 2))

    def guard(self, blueprint: Blueprint) -> None:
        """Answer 503 for a route of a blueprint when too many are under way."""
        blueprint.before_request(self._take)
        blueprint.teardown_request(self._give_back)

    def _take(self) -> None:
        if not self._free.acquire(blocking=False):
            detail = "Too many ask at the moment. Try again in a second."
            raise Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
        g.setdefault(_TURN, self)

    def _give_back(self, _fault: BaseException | None) -> None:
        if g.pop(_TURN, None):
            self._free.release()
