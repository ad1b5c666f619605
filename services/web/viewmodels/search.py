"""What a search found, as sections of a page."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext

from services.web.clients.catalog import Found, SearchHit
from services.web.viewmodels.names import DigestChip, NameText, present_digest, present_name

SUGGESTED = 8
"""As many lines as a list below a field has room for."""


@dataclass(frozen=True, slots=True)
class HitRow:
    """One thing that was found."""

    name: NameText | None
    text: str | None
    """What it is called in its repository, or the person's name."""
    digest: DigestChip | None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """What was found of one kind."""

    title: str
    rows: Sequence[HitRow]
    has_more: bool


def present_found(found: Found) -> list[Section]:
    """Return the kinds of which something was found."""
    sections = [
        Section(gettext("Repositories"), [_row(hit) for hit in found.repositories], "repositories" in found.more),
        Section(gettext("Tags"), [_row(hit, hit.tag, tag=hit.tag) for hit in found.tags], "tags" in found.more),
        Section(gettext("Digests"), [_row(hit) for hit in found.digests], "digests" in found.more),
        Section(gettext("Labels and annotations"), [_labelled(hit) for hit in found.labels], "labels" in found.more),
        Section(gettext("People"), [HitRow(None, name, None) for name in found.people], "people" in found.more),
    ]
    return [section for section in sections if section.rows]


def suggestions(found: Found) -> list[str]:
    """Return what somebody may be about to type: repositories, then tags, each as it would be pasted."""
    names = [hit.repository for hit in found.repositories]
    names += [f"{hit.repository}:{hit.tag}" for hit in found.tags]
    return list(dict.fromkeys(names))[:SUGGESTED]


def _row(hit: SearchHit, text: str | None = None, *, tag: str | None = None) -> HitRow:
    return HitRow(present_name(hit.repository), text, present_digest(hit.digest) if hit.digest else None, tag)


def _labelled(hit: SearchHit) -> HitRow:
    return _row(hit, f"{hit.key}={hit.value}")
