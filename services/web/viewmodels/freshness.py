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
    """Put the index's state in words; events that wait make it late."""
    title = _title(freshness)
    if freshness.waiting:
        noun = "event" if freshness.waiting == 1 else "events"
        return FreshnessBadge(f"{freshness.waiting} {noun} waiting", True, title)
    if freshness.indexed_at is None:
        return FreshnessBadge("nothing indexed yet", False, title)
    age = max(timedelta(0), now - freshness.indexed_at)
    return FreshnessBadge(f"index {present_duration(age)} old", False, title)


def _title(freshness: Freshness) -> str:
    facts = [f"Events waiting: {freshness.waiting}."]
    if freshness.indexed_at:
        facts.append(f"Last change indexed: {freshness.indexed_at:%Y-%m-%d %H:%M:%S} UTC.")
    if freshness.crawled_at:
        facts.append(f"Last walk through the registry: {freshness.crawled_at:%Y-%m-%d %H:%M:%S} UTC.")
    return " ".join(facts)
