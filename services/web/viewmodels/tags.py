"""Rows of a repository's tag table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext

from services.web.clients.catalog import Repository, TagEntry
from services.web.viewmodels.artifacts import artifact_label, pull_tool
from services.web.viewmodels.commands import PullCommand, pull_command
from services.web.viewmodels.lanes import Mark, draw_lanes
from services.web.viewmodels.names import DigestChip, present_digest
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.platforms import PlatformChips, present_platforms
from services.web.viewmodels.scans import ScanBadge, present_badge
from services.web.viewmodels.sizes import present_size
from services.web.viewmodels.times import TimeText, present_time


@dataclass(frozen=True, slots=True)
class TagMark:
    """What is worth knowing of a tag beside its name."""

    icon: str
    text: Any
    """In the language of whoever looks."""


SORTS: Mapping[str, tuple[str, str] | None] = {
    "": None,
    "oldest": ("updated_at", "asc"),
    "version": ("version", "desc"),
    "name": ("name", "asc"),
    "largest": ("size_bytes", "desc"),
    "smallest": ("size_bytes", "asc"),
}
"""The orders of the tag list, as `catalog` calls them."""

SORT_NAMES = {
    "": lazy_gettext("newest push first"),
    "oldest": lazy_gettext("oldest push first"),
    "version": lazy_gettext("highest version first"),
    "name": lazy_gettext("by name"),
    "largest": lazy_gettext("largest first"),
    "smallest": lazy_gettext("smallest first"),
}

_DANGLING = TagMark("exclamation-triangle", lazy_gettext("the registry has no manifest for it"))
_IMMUTABLE = TagMark("lock", lazy_gettext("must not move"))
_OVERWRITTEN = TagMark("clock-history", lazy_gettext("moved before"))
_KINDS = {
    "signature": TagMark("patch-check", lazy_gettext("signed")),
    "sbom": TagMark("list-check", lazy_gettext("bill of materials")),
    "attestation": TagMark("file-earmark-check", lazy_gettext("attested")),
}


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag as the table shows it."""

    name: str
    lanes: tuple[Mark, ...]
    same_as: tuple[str, ...]
    """Other tags of this page on the same digest."""
    label: str | None
    """What it is, when it is no image."""
    platforms: PlatformChips
    size: str | None
    pushed: TimeText | None
    pushed_by: str | None
    pulled: TimeText | None
    pulls: str
    digest: DigestChip
    known: bool
    pull: PullCommand
    marks: tuple[TagMark, ...] = ()
    scan: ScanBadge | None = None
    """``None``: nothing is scanned."""


def present_tags(
    repository: Repository, entries: Sequence[TagEntry], *, host: str, runtime: str, now: datetime
) -> list[TagRow]:
    """Turn tags into rows.

    Args:
        repository: where they are.
        entries: from top to bottom.
        host: the registry as people type it.
        runtime: whose commands to show.
        now: the present moment.
    """
    lanes = draw_lanes([entry.digest for entry in entries])
    return [
        _row(repository, entry, marks, entries, host=host, runtime=runtime, now=now)
        for entry, marks in zip(entries, lanes, strict=True)
    ]


def present_groups(
    repository: Repository, groups: Sequence[Sequence[TagEntry]], *, host: str, runtime: str, now: datetime
) -> list[list[TagRow]]:
    """Turn tags by digest into rows, those of one digest together; arguments as above."""
    return [
        [_row(repository, entry, (), (), host=host, runtime=runtime, now=now) for entry in group]
        for group in groups
        if group
    ]


def newest_pull(rows: Sequence[TagRow]) -> PullCommand | None:
    """Return the command for the page's header: that of ``latest`` when it is there, else of the newest."""
    named = next((row.pull for row in rows if row.name == "latest"), None)
    return named or (rows[0].pull if rows else None)


def _row(
    repository: Repository,
    entry: TagEntry,
    marks: tuple[Mark, ...],
    entries: Sequence[TagEntry],
    *,
    host: str,
    runtime: str,
    now: datetime,
) -> TagRow:
    tool = pull_tool(entry.media_type, entry.artifact_type)
    return TagRow(
        name=entry.name,
        lanes=marks,
        same_as=tuple(other.name for other in entries if other.digest == entry.digest and other.name != entry.name),
        label=artifact_label(entry.media_type, entry.artifact_type),
        platforms=present_platforms(entry.platforms),
        size=present_size(entry.size_bytes),
        pushed=present_time(entry.pushed_at, now),
        pushed_by=entry.pushed_by,
        pulled=present_time(entry.pulled_at, now),
        pulls=present_count(entry.pulls),
        digest=present_digest(entry.digest),
        known=entry.known,
        marks=_marks(entry),
        scan=present_badge(entry.scan),
        pull=pull_command(host, repository.full_name, entry.name, runtime=runtime, tool=tool),
    )


def _marks(entry: TagEntry) -> tuple[TagMark, ...]:
    own = ((entry.dangling, _DANGLING), (entry.immutable, _IMMUTABLE), (entry.overwritten, _OVERWRITTEN))
    about = (_KINDS[kind] for kind in entry.referrer_kinds if kind in _KINDS)
    return (*(mark for holds, mark in own if holds), *about)
