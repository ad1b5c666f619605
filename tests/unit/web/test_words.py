"""Moments, sizes and numbers in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.web.viewmodels.sizes import present_shares, present_size
from services.web.viewmodels.times import present_time

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=4), "just now"),
        (timedelta(seconds=5), "5 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "1 d ago"),
        (timedelta(days=29), "29 d ago"),
        (timedelta(days=30), "1 mo ago"),
        (timedelta(days=365), "1 y ago"),
    ],
    ids=str,
)
def test_moment_is_told_in_its_largest_unit(ago: timedelta, text: str) -> None:
    presented = present_time(NOW - ago, NOW)

    assert presented
    assert presented.text == text


def test_moment_carries_its_exact_time_for_machines_and_for_the_title() -> None:
    presented = present_time(datetime(2026, 11, 23, 9, 20, 5, 123456, tzinfo=UTC), NOW)

    assert presented
    assert (presented.iso, presented.exact) == ("2026-11-23T09:20:05Z", "2026-11-23 09:20:05 UTC")


def test_moment_of_another_time_zone_is_told_in_utc() -> None:
    eastern = timezone(timedelta(hours=-5))

    presented = present_time(datetime(2026, 11, 23, 4, 20, tzinfo=eastern), NOW)

    assert presented
    assert (presented.iso, presented.exact) == ("2026-11-23T09:20:00Z", "2026-11-23 09:20:00 UTC")


def test_moment_that_never_was_has_no_text() -> None:
    assert present_time(None, NOW) is None


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12_900_000, "12.3 MiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (1024**5, "1.0 PiB"),
        (5000 * 1024**5, "5000.0 PiB"),
    ],
    ids=str,
)
def test_size_is_told_in_binary_units_with_one_decimal(size_bytes: int, text: str) -> None:
    assert present_size(size_bytes) == text


def test_size_that_is_not_known_has_no_text() -> None:
    assert present_size(None) is None


@pytest.mark.parametrize(
    ("sizes", "shares"),
    [([50, 100, None, 0], [50, 100, 0, 0]), ([1, 1_000_000], [1, 100]), ([0, None], [0, 0]), ([], [])],
    ids=["half", "a little is still seen", "nothing to compare", "empty"],
)
def test_sizes_are_compared_with_the_largest(sizes: list[int | None], shares: list[int]) -> None:
    assert present_shares(sizes) == shares
