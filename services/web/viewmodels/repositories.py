"""Rows of the list of repositories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext

from services.web.clients.catalog import Repository
from services.web.viewmodels.names import NameText, present_name
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.sizes import present_shares, present_size
from services.web.viewmodels.times import TimeText, present_time

SORTS: Mapping[str, tuple[str, str] | None] = {
    "": None,
    "updated": ("updated_at", "desc"),
    "pulls": ("pulls", "desc"),
    "stars": ("stars", "desc"),
    "largest": ("size_bytes", "desc"),
    "tags": ("tags_count", "desc"),
}
"""The orders of the list, as `catalog` calls them."""

SORT_NAMES = {
    "": lazy_gettext("by name"),
    "updated": lazy_gettext("changed last first"),
    "pulls": lazy_gettext("most pulls first"),
    "stars": lazy_gettext("most stars first"),
    "largest": lazy_gettext("largest first"),
    "tags": lazy_gettext("most tags first"),
}


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """One repository as the list shows it; ``share`` is its size against the page's largest, in percent."""

    name: NameText
    tags: str
    size: str | None
    share: int
    pulls: str
    updated: TimeText | None


def present_repositories(repositories: Sequence[Repository], now: datetime) -> list[RepositoryRow]:
    """Turn repositories into rows."""
    shares = present_shares([repository.size_bytes for repository in repositories])
    return [_row(repository, share, now) for repository, share in zip(repositories, shares, strict=True)]


def _row(repository: Repository, share: int, now: datetime) -> RepositoryRow:
    return RepositoryRow(
        name=present_name(repository.full_name),
        tags=present_count(repository.tags_count),
        size=present_size(repository.size_bytes),
        share=share,
        pulls=present_count(repository.pulls),
        updated=present_time(repository.updated_at, now),
    )
