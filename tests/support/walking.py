"""Lists walked by key to their ends."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from werkzeug.test import TestResponse

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


def is_list(operation: Any) -> bool:
    """Tell whether an operation of an OpenAPI document answers with the rows of a list."""
    if not isinstance(operation, dict):
        return False
    answer = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
    return bool(answer.get("schema", {}).get("type") == "array")


def lists_of(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the query parameters of every list of an OpenAPI document, by path."""
    return {
        path: {one["name"]: one["schema"] for one in verbs["get"].get("parameters", []) if one.get("in") == "query"}
        for path, verbs in document["paths"].items()
        if is_list(verbs.get("get"))
    }


def walk_links(get: Callable[[str], TestResponse], address: str, *, per_page: int = 2) -> Iterator[Any]:
    """Return every row of a list of the API that is walked by key, part after part; nothing is counted."""
    following = f"{address}{'&' if '?' in address else '?'}by_key=true&per_page={per_page}"
    for _ in range(MAX_PARTS):
        answer = get(following)
        assert answer.status_code == 200, answer.text
        assert "X-Total" not in answer.headers
        rows = answer.get_json()
        assert len(rows) <= per_page
        yield from rows
        link = answer.headers.get("Link", "")
        if not link:
            return
        assert link.endswith('>; rel="next"')
        following = link[1:].partition(">")[0]
    raise AssertionError("the list does not end")


def assert_walked_by_key(get: Callable[[str], TestResponse], address: str, orders: Iterable[str]) -> None:
    """Assert that the parts of a list by key are the list by page number, whatever it is sorted by.

    Args:
        address: of a list with more than one part.
        orders: what it may be sorted by; by some of them it is walked by page number only.
    """
    glue = "&" if "?" in address else "?"
    queries = ["", *(f"sort_attr={name}{way}" for name in orders for way in ("", "&sort_order=desc"))]
    walked = 0
    for query in queries:
        sorted_so = f"{address}{glue}{query}"
        refused = get(f"{sorted_so}{'&' if query else ''}by_key=true")
        if query and refused.status_code == 422:
            assert "sort_attr" in refused.get_json(force=True)["errors"]
            continue
        rows = get(f"{sorted_so}{'&' if query else ''}per_page=100").get_json()
        assert len(rows) > 2, f"{address} has too few rows to be walked"
        assert list(walk_links(get, sorted_so.rstrip("?&"))) == rows, sorted_so
        walked += 1
    assert walked, address
