"""Time comes in as an argument, so that rules can be tested without waiting."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment as an aware UTC datetime."""


def utc_now() -> datetime:
    """Return the present moment; the one clock that production code is given."""
    return datetime.now(UTC)
