"""Lines at the left edge of the tag table that join the rows of one digest.

A digest that stands in several rows gets a lane from its first row to its last. Lanes that overlap
lie side by side; a lane is used again as soon as it is free.
"""

from collections.abc import Sequence
from enum import StrEnum

MAX_LANES = 3
"""More lines than these cannot be told apart; what finds no lane is left without a line."""


class Mark(StrEnum):
    """What a row shows in one lane."""

    NONE = "none"
    FIRST = "first"
    MEMBER = "member"
    THROUGH = "through"
    LAST = "last"


def draw_lanes(digests: Sequence[str]) -> list[tuple[Mark, ...]]:
    """Return the marks of every row, as many per row as there are lanes.

    Args:
        digests: one per row, from top to bottom.
    """
    lanes: list[list[Mark]] = []
    free_from: list[int] = []
    for rows in _joined_rows(digests):
        lane = next((number for number, row in enumerate(free_from) if row <= rows[0]), len(free_from))
        if lane == MAX_LANES:
            continue
        if lane == len(lanes):
            lanes.append([Mark.NONE] * len(digests))
            free_from.append(0)
        _draw(lanes[lane], rows)
        free_from[lane] = rows[-1] + 1
    return [tuple(lane[row] for lane in lanes) for row in range(len(digests))]


def _joined_rows(digests: Sequence[str]) -> list[list[int]]:
    rows_by_digest: dict[str, list[int]] = {}
    for row, digest in enumerate(digests):
        rows_by_digest.setdefault(digest, []).append(row)
    # Insertion order is the order of first rows, which the greedy choice of lanes relies on.
    return [rows for rows in rows_by_digest.values() if len(rows) > 1]


def _draw(lane: list[Mark], rows: Sequence[int]) -> None:
    for row in range(rows[0], rows[-1]):
        lane[row] = Mark.THROUGH
    for row in rows:
        lane[row] = Mark.MEMBER
    lane[rows[0]], lane[rows[-1]] = Mark.FIRST, Mark.LAST
