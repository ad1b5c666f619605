"""When a delivery that failed is tried again."""

from datetime import timedelta

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=2)
GROWTH = 5


def find_pause(attempts: int, *, max_attempts: int) -> timedelta | None:
    """Return how long to wait after an attempt that failed; ``None``: it was the last one.

    Args:
        attempts: how many there have been: 1 after the first.
    """
    if attempts >= max_attempts:
        return None
    return min(FIRST_PAUSE * int(GROWTH ** min(attempts - 1, 10)), LONGEST_PAUSE)
