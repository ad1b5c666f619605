"""Platform chips: ``linux/amd64``, and behind ``+3`` the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.web.clients.catalog import Platform
from services.web.viewmodels.sizes import present_size

VISIBLE_CHIPS = 2


@dataclass(frozen=True, slots=True)
class PlatformChip:
    """One platform; ``title`` tells its digest and size."""

    text: str
    title: str


@dataclass(frozen=True, slots=True)
class PlatformChips:
    """What is seen at once and what opens."""

    first: tuple[PlatformChip, ...]
    rest: tuple[PlatformChip, ...]


def present_platforms(platforms: Sequence[Platform]) -> PlatformChips:
    """Turn the platforms of a tag into chips.

    Attestations stand in an index as platform ``unknown/unknown``; nobody can run one, so they
    are left out.
    """
    chips = tuple(_chip(platform) for platform in platforms if not _is_unknown(platform))
    return PlatformChips(chips[:VISIBLE_CHIPS], chips[VISIBLE_CHIPS:])


def _is_unknown(platform: Platform) -> bool:
    return platform.os in ("unknown", "", None) and platform.architecture in ("unknown", "", None)


def _chip(platform: Platform) -> PlatformChip:
    # Every arm64 is v8; clients leave it out (containerd "platforms.Normalize").
    variant = None if (platform.architecture, platform.variant) == ("arm64", "v8") else platform.variant
    text = "/".join(part for part in (platform.os, platform.architecture, variant) if part)
    facts = (platform.digest, present_size(platform.size_bytes))
    return PlatformChip(text, " · ".join(fact for fact in facts if fact))
