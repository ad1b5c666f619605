"""The past of a tag: one knot for everything that it pointed at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext

from services.web.clients.artifacts import Period
from services.web.viewmodels.names import DigestChip, present_digest
from services.web.viewmodels.times import TimeText, present_duration, present_time

_ENDS = {
    "overwritten": lazy_gettext("Overwritten"),
    "deleted": lazy_gettext("Deleted"),
    "vanished": lazy_gettext("Found gone by a crawl"),
}


@dataclass(frozen=True, slots=True)
class Knot:
    """What a tag pointed at for a while."""

    digest: DigestChip
    since: TimeText | None
    pushed_by: str | None
    witnessed: bool
    current: bool
    end: str | None
    """How it ended, in words."""
    until: TimeText | None
    ended_by: str | None
    lasted: str | None
    restorable: bool
    """Another digest than the one that the tag points at now."""


def present_history(periods: Sequence[Period], now: datetime, *, current: str | None) -> list[Knot]:
    """Turn the past of a tag into knots, newest first.

    Args:
        periods: newest first.
        now: the present moment.
        current: what the tag points at now; ``None`` when it is gone.
    """
    return [_knot(period, now, current) for period in periods]


def _knot(period: Period, now: datetime, current: str | None) -> Knot:
    return Knot(
        digest=present_digest(period.digest),
        since=present_time(period.since, now),
        pushed_by=period.pushed_by,
        witnessed=period.is_witnessed,
        current=period.until is None,
        end=str(_ENDS.get(period.end or "", period.end)) if period.until else None,
        until=present_time(period.until, now),
        ended_by=period.ended_by,
        lasted=present_duration(period.until - period.since) if period.until else None,
        restorable=period.digest != current,
    )
