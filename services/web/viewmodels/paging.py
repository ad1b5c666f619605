"""The line under a list: "1–25 of 57", and where back and forth lead."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from shared.api.paging import Page


@dataclass(frozen=True, slots=True)
class Pager:
    """Where in a list somebody is; page numbers are ``None`` where there is no such page."""

    text: str
    total: int
    previous: int | None
    next: int | None
    last: int
    beyond: bool
    """The page lies behind the end of the list."""


def present_paging(page: Page[Any]) -> Pager:
    """Say which part of a list a page is."""
    number, last = page.request.page, page.total_pages
    first_row = page.request.offset + 1
    beyond = not page.rows and page.total > 0
    shown = f"{first_row}–{first_row + len(page.rows) - 1}" if page.rows else "0"
    return Pager(
        text=gettext("%(rows)s of %(total)s", rows=shown, total=page.total),
        total=page.total,
        previous=min(number - 1, last) if number > 1 else None,
        next=number + 1 if number < last else None,
        last=last,
        beyond=beyond,
    )
