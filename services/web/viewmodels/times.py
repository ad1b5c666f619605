"""Moments in words: "3 min ago", with the exact time beside it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask_babel import gettext, lazy_gettext

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
MONTH_S, YEAR_S = 30 * DAY_S, 365 * DAY_S

_STEPS = (
    (YEAR_S, lazy_gettext("y")),
    (MONTH_S, lazy_gettext("mo")),
    (DAY_S, lazy_gettext("d")),
    (HOUR_S, lazy_gettext("h")),
    (MINUTE_S, lazy_gettext("min")),
)


@dataclass(frozen=True, slots=True)
class TimeText:
    """A moment, as ``<time>`` wants it."""

    text: str
    """``3 min ago``."""
    iso: str
    """RFC 3339, for machines."""
    exact: str
    """``2026-11-23 09:20:05 UTC``, for the title."""


def present_time(moment: datetime | None, now: datetime) -> TimeText | None:
    """Put a moment in words; ``None`` stays ``None`` (never, or not known)."""
    if moment is None:
        return None
    utc = moment.astimezone(UTC)
    return TimeText(_ago(now - moment), f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M:%S} UTC")


def present_moment(moment: datetime | None, now: datetime) -> TimeText | None:
    """Put a moment in words that may be ahead: ``in 3 d``, or ``3 d ago``."""
    said = present_time(moment, now)
    if moment is None or said is None or moment <= now:
        return said
    return replace(said, text=gettext("in %(duration)s", duration=present_duration(moment - now)))


def present_duration(duration: timedelta) -> str:
    """Put a duration in words with one unit: ``4 s``, ``3 min``, ``2 h``."""
    seconds = int(duration.total_seconds())
    for length_s, unit in _STEPS:
        if seconds >= length_s:
            return f"{seconds // length_s} {unit}"
    return f"{max(0, seconds)} s"


def _ago(duration: timedelta) -> str:
    # Clocks of two machines differ by a little; a moment just ahead of ours is simply now.
    if duration < timedelta(seconds=5):
        return gettext("just now")
    return gettext("%(duration)s ago", duration=present_duration(duration))
