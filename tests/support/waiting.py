"""Wait for something to become true, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(
    probe: Callable[[], Found | None], *, what: str | Callable[[], str], timeout_s: float = 30, every_s: float = 0.05
) -> Found:
    """Call ``probe`` until it returns something true, and return that.

    Args:
        probe: looks once.
        what: what is waited for, for the message; a function is asked only in the end.
        timeout_s: how long to try.
        every_s: pause between two looks.

    Raises:
        TimeoutError: it never did; the message says what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(every_s)
    raise TimeoutError(f"{what if isinstance(what, str) else what()}: not within {timeout_s:g} s")
