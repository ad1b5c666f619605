"""How long something is to be good: until a moment, for some time, or without an end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth.domain.errors import Invalid

MAX_TTL_S = 100 * 365 * 24 * 3600
"""Longest time that may be asked for, in seconds: a hundred years."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What somebody asks for; neither of the two: without an end."""

    until: datetime | None = None
    ttl: timedelta | None = None

    def end(self, now: datetime) -> datetime | None:
        """Return the moment at which it ends.

        Raises:
            Invalid: both were asked for, or it would be over already.
        """
        if self.until is not None and self.ttl is not None:
            raise Invalid({"ttl_s": ["say either this or expires_at"]})
        end = self.until if self.ttl is None else now + self.ttl
        if end is not None and end <= now:
            raise Invalid({"expires_at": ["must be in the future"]})
        return end


FOR_EVER = Lifetime()


def is_past(end: datetime | None, now: datetime) -> bool:
    """Tell whether something that ends at a moment, or never, has ended."""
    return end is not None and end <= now
