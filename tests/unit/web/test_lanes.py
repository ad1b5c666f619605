"""The lines that join the rows of one digest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.web.viewmodels.lanes import MAX_LANES, Mark, draw_lanes

PICTURES = {Mark.NONE: ".", Mark.FIRST: "F", Mark.MEMBER: "M", Mark.THROUGH: "|", Mark.LAST: "L"}


def draw(digests: str) -> list[str]:
    return ["".join(PICTURES[mark] for mark in row) for row in draw_lanes(list(digests))]


@pytest.mark.parametrize(
    ("digests", "rows"),
    [
        ("", []),
        ("abc", ["", "", ""]),
        ("aa", ["F", "L"]),
        ("aaa", ["F", "M", "L"]),
        ("aba", ["F", "|", "L"]),
        ("aabb", ["F", "L", "F", "L"]),
        ("abab", ["F.", "|F", "L|", ".L"]),
        ("abcabc", ["F..", "|F.", "||F", "L||", ".L|", "..L"]),
    ],
    ids=[
        "nothing",
        "all differ",
        "two",
        "three",
        "one between",
        "a lane is used again",
        "two overlap",
        "three overlap",
    ],
)
def test_rows_of_one_digest_are_joined(digests: str, rows: list[str]) -> None:
    assert draw(digests) == rows


def test_lines_that_find_no_lane_are_left_out() -> None:
    assert draw("abcdabcd")[3] == "|||"


@given(st.lists(st.sampled_from("abcdefg"), max_size=30))
def test_every_lane_begins_and_ends_as_often_and_never_overlaps(digests: list[str]) -> None:
    rows = draw_lanes(digests)

    assert len(rows) == len(digests)
    assert len({len(row) for row in rows}) <= 1
    for lane in range(len(rows[0]) if rows else 0):
        assert lane < MAX_LANES
        open_digest: str | None = None
        for digest, row in zip(digests, rows, strict=True):
            if row[lane] is Mark.FIRST:
                assert open_digest is None
                open_digest = digest
            elif row[lane] is Mark.NONE:
                assert open_digest is None
            elif row[lane] is not Mark.THROUGH:
                assert digest == open_digest
            if row[lane] is Mark.LAST:
                open_digest = None
        assert open_digest is None
