"""Pages of a list: the parameters, the headers and the caps, the same in every API.

The names are those of the Portus API: ``page``, ``per_page`` in, ``X-Page``, ``X-Next-Page``,
``X-Prev-Page``, ``X-Total``, ``X-Total-Pages``, ``X-Per-Page`` and ``Link`` (RFC 8288) out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema, fields, validate

Row = TypeVar("Row")

DEFAULT_PER_PAGE = 15
MAX_PER_PAGE = 100
MAX_PAGE = 1_000_000
"""Keeps ``OFFSET`` inside a database's integer range."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a caller asked for; ``page`` counts from 1."""

    page: int = 1
    per_page: int = DEFAULT_PER_PAGE

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


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
    response.headers["Link"] = ", ".join(f'<{_link(target)}>; rel="{rel}"' for rel, target in links.items())
    return response


def _link(page: int) -> str:
    others = [(name, value) for name, value in request.args.items(multi=True) if name != "page"]
    return f"{request.path}?{urlencode([*others, ('page', page)])}"
