"""Rows of tables, the line below them, and the badge in the bar."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.web.clients.catalog import Freshness, Repository, TagEntry
from services.web.viewmodels.freshness import present_freshness
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.repositories import present_repositories
from services.web.viewmodels.tags import TagRow, newest_pull, present_tags
from shared.api.paging import Page, PageRequest
from shared.oci.media_types import OCI_MANIFEST

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def make_repository(full_name: str = "team/app", *, size_bytes: int = 2048, pulls: int = 0) -> Repository:
    return Repository(7, full_name, "registry.test:5000", 2, size_bytes, pulls, NOW, NOW - timedelta(minutes=3))


def make_entry(name: str = "latest", digest: str = "sha256:aa", **changes: Any) -> TagEntry:
    facts: dict[str, Any] = {
        "media_type": OCI_MANIFEST,
        "artifact_type": None,
        "size_bytes": 1024,
        "platforms": (),
        "pushed_at": NOW,
        "pushed_by": "jane",
        "pulled_at": None,
        "pulls": 0,
        "known": True,
    }
    return TagEntry(name=name, digest=digest, **{**facts, **changes})


def present(*entries: TagEntry) -> list[TagRow]:
    return present_tags(make_repository(), entries, host="registry.test:5000", runtime="docker", now=NOW)


def test_tag_row_names_the_other_tags_of_its_digest() -> None:
    latest, other, old = present(make_entry("latest"), make_entry("2.0"), make_entry("1.0", "sha256:bb"))

    assert (latest.same_as, other.same_as, old.same_as) == (("2.0",), ("latest",), ())


def test_tag_row_of_a_manifest_that_is_not_known_yet_has_no_facts() -> None:
    (row,) = present(
        make_entry(media_type=None, size_bytes=None, pushed_at=None, pushed_by=None, known=False, platforms=())
    )

    assert (row.known, row.size, row.pushed, row.label) == (False, None, None, None)
    assert row.pull.line == "docker pull registry.test:5000/team/app:latest"


def test_tag_row_has_a_mark_for_each_thing_that_is_worth_one() -> None:
    (plain, marked) = present(
        make_entry("1.0"),
        make_entry(
            "2.0", dangling=True, immutable=True, overwritten=True, referrer_kinds=["sbom", "signature", "other"]
        ),
    )

    assert plain.marks == ()
    assert [mark.icon for mark in marked.marks] == [
        "exclamation-triangle",
        "lock",
        "clock-history",
        "list-check",
        "patch-check",
    ]


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("2.0", "latest"), "docker pull registry.test:5000/team/app:latest"),
        (("2.0", "1.0"), "docker pull registry.test:5000/team/app:2.0"),
    ],
    ids=["latest when it is there", "else the newest"],
)
def test_header_shows_the_pull_command_of(names: tuple[str, ...], line: str) -> None:
    pull = newest_pull(present(*(make_entry(name) for name in names)))

    assert pull
    assert pull.line == line


def test_header_of_an_empty_repository_has_no_pull_command() -> None:
    assert newest_pull([]) is None


def test_repository_row_has_grouped_numbers_and_a_share_of_the_largest_size() -> None:
    large, small = present_repositories([make_repository(pulls=12_345), make_repository(size_bytes=512)], NOW)

    assert (large.pulls, large.share, small.share) == ("12,345", 100, 25)
    assert large.updated
    assert large.updated.text == "3 min ago"


@pytest.mark.parametrize(
    ("page", "rows", "total", "text", "previous", "following", "beyond"),
    [
        (1, 25, 57, "1–25 of 57", None, 2, False),
        (2, 25, 57, "26–50 of 57", 1, 3, False),
        (3, 7, 57, "51–57 of 57", 2, None, False),
        (1, 0, 0, "0 of 0", None, None, False),
        (9, 0, 57, "0 of 57", 3, None, True),
    ],
    ids=["first", "middle", "last", "empty", "beyond the end"],
)
def test_line_below_a_list(
    page: int, rows: int, total: int, text: str, previous: int | None, following: int | None, beyond: bool
) -> None:
    pager = present_paging(Page(range(rows), total, PageRequest(page, 25)))

    assert (pager.text, pager.previous, pager.next, pager.beyond) == (text, previous, following, beyond)


@pytest.mark.parametrize(
    ("indexed_ago_s", "crawled_ago_s", "waiting", "text", "late"),
    [
        (4, 3600, 0, "indexed 4 s ago", False),
        (7200, 60, 0, "indexed 1 min ago", False),
        (-1, None, 0, "indexed 0 s ago", False),
        (4, None, 1, "1 manifest waiting", True),
        (4, None, 12, "12 manifests waiting", True),
        (None, None, 0, "nothing indexed yet", False),
    ],
    ids=["an event", "a walk", "clocks differ", "one waits", "many wait", "new"],
)
def test_freshness_badge(
    indexed_ago_s: int | None, crawled_ago_s: int | None, waiting: int, text: str, late: bool
) -> None:
    indexed_at, crawled_at = (
        None if ago is None else NOW - timedelta(seconds=ago) for ago in (indexed_ago_s, crawled_ago_s)
    )

    badge = present_freshness(Freshness(indexed_at, crawled_at, waiting), NOW)

    assert (badge.text, badge.late) == (text, late)


def test_badge_says_that_events_may_be_missing_before_all_else() -> None:
    badge = present_freshness(Freshness(NOW, NOW, 3, losses=1, lossy_since=NOW), NOW)

    assert (badge.text, badge.late) == ("events may be missing", True)
    assert "since 2026-11-23 09:30:00 UTC" in badge.title
