"""The badge that says how far the index follows the registry."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.web.clients.catalog import Freshness
from services.web.viewmodels.times import present_duration


@dataclass(frozen=True, slots=True)
class FreshnessBadge:
    """A few words, whether they deserve a look, and the whole truth for the title."""

    text: str
    late: bool
    title: str


def present_freshness(freshness: Freshness, now: datetime) -> FreshnessBadge:
    """Put the index's state in words; manifests that wait to be fetched make it late."""
    title = _title(freshness)
    if freshness.waiting:
        noun = "manifest" if freshness.waiting == 1 else "manifests"
        return FreshnessBadge(f"{freshness.waiting} {noun} waiting", True, title)
    # A walk through the registry confirms the index as well as an event does.
    looked_at = [moment for moment in (freshness.indexed_at, freshness.crawled_at) if moment]
    if not looked_at:
        return FreshnessBadge("nothing indexed yet", False, title)
    age = max(timedelta(0), now - max(looked_at))
    return FreshnessBadge(f"indexed {present_duration(age)} ago", False, title)


def _title(freshness: Freshness) -> str:
    facts = [f"Manifests that could not be fetched yet: {freshness.waiting}."]
    if freshness.indexed_at:
        facts.append(f"Last event applied: {freshness.indexed_at:%Y-%m-%d %H:%M:%S} UTC.")
    if freshness.crawled_at:
        facts.append(f"Last walk through the registry: {freshness.crawled_at:%Y-%m-%d %H:%M:%S} UTC.")
    return " ".join(facts)
