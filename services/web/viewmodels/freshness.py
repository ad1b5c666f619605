"""The badge that says how far the index follows the registry."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from services.web.clients.catalog import Freshness
from services.web.viewmodels.times import present_duration


@dataclass(frozen=True, slots=True)
class FreshnessBadge:
    """A few words, whether they deserve a look, and the whole truth for the title."""

    text: str
    late: bool
    title: str


def present_freshness(freshness: Freshness, now: datetime) -> FreshnessBadge:
    """Put the index's state in words; events that may be lost, or manifests that wait, make it late."""
    title = _title(freshness)
    if freshness.losses:
        return FreshnessBadge(gettext("events may be missing"), True, title)
    if freshness.waiting:
        text = ngettext("%(num)d manifest waiting", "%(num)d manifests waiting", freshness.waiting)
        return FreshnessBadge(text, True, title)
    # A walk through the registry confirms the index as well as an event does.
    looked_at = [moment for moment in (freshness.indexed_at, freshness.crawled_at) if moment]
    if not looked_at:
        return FreshnessBadge(gettext("nothing indexed yet"), False, title)
    age = max(timedelta(0), now - max(looked_at))
    return FreshnessBadge(gettext("indexed %(duration)s ago", duration=present_duration(age)), False, title)


def _title(freshness: Freshness) -> str:
    facts = [gettext("Manifests that could not be fetched yet: %(count)s.", count=freshness.waiting)]
    if freshness.lossy_since:
        since = f"{freshness.lossy_since:%Y-%m-%d %H:%M:%S} UTC"
        facts.append(gettext("Events since %(moment)s may be missing, and are being made up for.", moment=since))
    if freshness.indexed_at:
        facts.append(gettext("Last event applied: %(moment)s.", moment=f"{freshness.indexed_at:%Y-%m-%d %H:%M:%S} UTC"))
    if freshness.crawled_at:
        facts.append(
            gettext(
                "Last walk through the registry: %(moment)s.", moment=f"{freshness.crawled_at:%Y-%m-%d %H:%M:%S} UTC"
            )
        )
    return " ".join(facts)
