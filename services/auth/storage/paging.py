"""One page of a select."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from shared.api.paging import Page, PageRequest

View = TypeVar("View")


def fetch_page(
    connection: Connection,
    statement: Select[Any],
    request: PageRequest,
    *,
    order_by: ColumnElement[Any],
    load: Callable[[Row[Any]], View],
) -> Page[View]:
    """Run a select for one page, and count what it would bring without the page.

    Args:
        order_by: a unique column, so that no row is on two pages.
        load: turns a row into what the API shows.
    """
    total = connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    rows = connection.execute(statement.order_by(order_by).limit(request.per_page).offset(request.offset)).all()
    return Page([load(row) for row in rows], total, request)
