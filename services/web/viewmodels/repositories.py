"""Rows of the list of repositories."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.web.clients.catalog import Repository
from services.web.viewmodels.names import NameText, present_name
from services.web.viewmodels.sizes import present_shares, present_size
from services.web.viewmodels.times import TimeText, present_time


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
        tags=f"{repository.tags_count:,}",
        size=present_size(repository.size_bytes),
        share=share,
        pulls=f"{repository.pulls:,}",
        updated=present_time(repository.updated_at, now),
    )
