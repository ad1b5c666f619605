"""Parts of a list: what a caller asks for, what comes back, and the headers that describe it.

There are two ways to walk a list. By page number, with the names of the Portus API: ``page``,
``per_page`` in, ``X-Page``, ``X-Next-Page``, ``X-Prev-Page``, ``X-Total``, ``X-Total-Pages``,
``X-Per-Page`` and ``Link`` (RFC 8288) out. And by key (``shared.api.slices``), for lists that are too
long to be counted. ``shared.api.lists`` makes the query parameters, ``shared.listing`` the SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema, fields, validate

Row = TypeVar("Row")

DEFAULT_PER_PAGE = 15
MAX_PER_PAGE = 100
MAX_PAGE = 1_000_000
"""Keeps ``OFFSET`` inside a database's integer range."""
MAX_ALL_ROWS = 10_000
"""Longest list that is given in one answer to ``all=true``."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a caller asked for; ``page`` counts from 1."""

    page: int = 1
    per_page: int = DEFAULT_PER_PAGE

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


EVERYTHING = PageRequest(per_page=MAX_ALL_ROWS)
"""The one page that ``all=true`` asks for."""


class TooManyRows(Exception):
    """``all=true`` was asked of a list that is longer than ``MAX_ALL_ROWS``."""

    def __init__(self, total: int) -> None:
        super().__init__(
            f"The list has {total} rows, and all=true gives {MAX_ALL_ROWS} at most. Leave it out and use page and "
            f"per_page (up to {MAX_PER_PAGE}), or narrow the list with a filter."
        )


@dataclass(frozen=True, slots=True)
class Order:
    """By which of its columns a list is sorted."""

    attribute: str = "id"
    descending: bool = False


BY_ID = Order()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the part before has ended: the last row's sort value and id."""

    value: Any
    id: int | str


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which rows of a list a caller asked for, in which order, and which part of them.

    Args:
        page: which page; by key only its ``per_page`` counts.
        filters: values by query parameter, as ``shared.listing.Listing`` declares them.
        after: by key only; ``None`` begins at the beginning.
        by_key: of a list that can be walked either way.
    """

    page: PageRequest = PageRequest()
    order: Order = BY_ID
    filters: Mapping[str, Any] = field(default_factory=dict)
    after: Cursor | None = None
    by_key: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list and the length of the whole list."""

    rows: Sequence[Row]
    total: int
    request: PageRequest

    @property
    def total_pages(self) -> int:
        return max(1, -(-self.total // self.request.per_page))


class PageQuery(Schema):
    """The query parameters of every list."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, MAX_PAGE))
    per_page = fields.Integer(load_default=DEFAULT_PER_PAGE, validate=validate.Range(1, MAX_PER_PAGE))


def set_page_headers(response: Response, page: Page[Row]) -> Response:
    """Describe a page in the response's headers."""
    number, last = page.request.page, page.total_pages
    headers = {"X-Page": number, "X-Per-Page": page.request.per_page, "X-Total": page.total, "X-Total-Pages": last}
    links = {"first": 1, "last": last}
    if number > 1:
        headers["X-Prev-Page"] = links["prev"] = min(number - 1, last)
    if number < last:
        headers["X-Next-Page"] = links["next"] = number + 1
    response.headers.update({name: str(value) for name, value in headers.items()})
    response.headers["Link"] = ", ".join(
        f'<{address_with("page", target)}>; rel="{rel}"' for rel, target in links.items()
    )
    return response


def address_with(parameter: str, value: object) -> str:
    """Return the address of the present request with another value of one query parameter."""
    others = [(name, given) for name, given in request.args.items(multi=True) if name != parameter]
    return f"{request.path}?{urlencode([*others, (parameter, value)])}"
