"""When a manifest that could not be fetched is asked for again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MAX_REFUSALS = 10
"""So often a registry may answer that it has no such manifest before we believe it."""

MAX_AGE = timedelta(days=7)
"""So long we ask a registry that does not answer."""

_FIRST_DELAY = timedelta(seconds=1)
_LONGEST_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What became of a fetch so far."""

    since: datetime
    count: int = 0
    refusals: int = 0
    """How many attempts ended in an answer, and not in silence."""


def next_attempt(attempts: Attempts, *, refused: bool, now: datetime) -> tuple[Attempts, datetime] | None:
    """Return the attempts with one more failure and the time of the next one, or ``None`` to give up.

    Args:
        refused: the registry answered, but without the manifest.
    """
    made = replace(attempts, count=attempts.count + 1, refusals=attempts.refusals + refused)
    if made.refusals >= MAX_REFUSALS or now - made.since > MAX_AGE:
        return None
    # 2 ** 12 seconds are more than an hour already; larger powers would only overflow.
    return made, now + min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(attempts.count, 12))
