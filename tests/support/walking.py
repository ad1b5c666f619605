"""A list walked by key to its end."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from shared.api.paging import ListRequest, Page, PageRequest
from shared.api.slices import Slice

MAX_PARTS = 10_000
"""Nothing that tests walk is longer: a list that leads back to itself ends here."""


def walk(
    fetch: Callable[[ListRequest], Page[Any] | Slice[Any]], asked: ListRequest, *, per_page: int = 1
) -> Iterator[Any]:
    """Return every row, part after part.

    Raises:
        AssertionError: a part is too long, or they do not come to an end.
    """
    asked = replace(asked, page=PageRequest(per_page=per_page), by_key=True)
    for _ in range(MAX_PARTS):
        part = fetch(asked)
        assert isinstance(part, Slice)
        assert len(part.rows) <= per_page
        yield from part.rows
        if part.following is None:
            return
        asked = replace(asked, after=part.following)
    raise AssertionError("the list does not end")
