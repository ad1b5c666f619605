"""Lists out of a database: by what they are sorted and narrowed, and one part of them.

Each list is declared once, as a ``Listing``. The declaration gives the query parameters
(``shared.api.lists``), the ORDER BY and the WHERE; a parameter that it does not know cannot reach SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, literal, or_, select, tuple_

from shared.api.paging import BY_ID, EVERYTHING, Cursor, ListRequest, Order, Page, TooManyRows
from shared.api.slices import Slice
from shared.database import UtcDateTime

View = TypeVar("View")

SEARCH = "q"
"""Parameter: a part of one of the columns that are searched."""

_ID = "id"


class Comparison(StrEnum):
    """How a value is compared with a column; what its query parameter ends with."""

    EQUAL = ""
    FROM = "_from"
    UNTIL = "_until"
    PREFIX = "_prefix"


@dataclass(frozen=True, slots=True)
class Listed:
    """A column by which a list is sorted and narrowed; its SQL type says which values it takes.

    Args:
        column: of an integer, boolean, text or ``UtcDateTime`` type.
        choices: the values of a text column that has few.
        fold: how a text is written in the column, where that is not how people write it.
        prefix: whether the beginning of a text may be asked for, too.
        sortable: whether a list that is walked by key may be sorted by it: long ones only where there is an index.
        orders: whether a list may be sorted by it at all.
        narrows: whether a list may be narrowed by it.
        matches: the WHERE of a value, where that is more than a comparison with the column.
    """

    column: ColumnElement[Any]
    choices: type[Enum] | None = None
    fold: Callable[[str], str] | None = None
    prefix: bool = False
    sortable: bool = True
    orders: bool = True
    narrows: bool = True
    matches: Callable[[str], ColumnElement[bool]] | None = None

    @property
    def nullable(self) -> bool:
        # An expression does not say, and then it may be.
        return bool(getattr(self.column, "nullable", True))

    @property
    def comparisons(self) -> Sequence[Comparison]:
        """How it may be asked about."""
        if not self.narrows:
            return []
        if isinstance(self.column.type, UtcDateTime):
            return [Comparison.FROM, Comparison.UNTIL]
        return [Comparison.EQUAL, Comparison.PREFIX] if self.prefix else [Comparison.EQUAL]

    def condition(self, comparison: Comparison, value: Any) -> ColumnElement[bool]:
        """Return the WHERE of one comparison."""
        if self.matches:
            return self.matches(value)
        stored = value.value if isinstance(value, Enum) else self.fold(value) if self.fold else value
        return _COMPARISONS[comparison](self.column, stored)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list may be sorted and narrowed by.

    Args:
        columns: by the name of the field in the answer; ``id`` must be among them, and unique.
        search: text columns in which ``q`` looks for a part, in upper or lower case.
        order: when the caller does not say.
    """

    columns: Mapping[str, Listed]
    search: Sequence[ColumnElement[Any]] = ()
    order: Order = BY_ID

    def parameters(self) -> dict[str, tuple[Listed, Comparison]]:
        """Return the query parameters that narrow the list, besides ``q``."""
        return {
            f"{name}{comparison}": (listed, comparison)
            for name, listed in self.columns.items()
            for comparison in listed.comparisons
        }

    def conditions(self, filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
        """Return the WHERE of some query parameters."""
        known = self.parameters()
        named = [known[name][0].condition(known[name][1], value) for name, value in filters.items() if name != SEARCH]
        return [*named, self._search(filters[SEARCH])] if SEARCH in filters else named

    def order_by(self, order: Order) -> list[ColumnElement[Any]]:
        """Return an ORDER BY in which no two rows are equal; what is NULL comes last when ascending."""
        return [_directed(listed, order) for listed in self.key(order)]

    def key(self, order: Order) -> list[Listed]:
        """Return the columns that an order is made of: no two rows are equal in all of them."""
        names = dict.fromkeys((order.attribute, _ID))
        return [self.columns[name] for name in names]

    def key_names(self) -> list[str]:
        """Return the names by which the list can be walked by key: NULL is neither before nor after anything."""
        return [name for name, listed in self.columns.items() if listed.sortable and not listed.nullable]

    def order_names(self) -> list[str]:
        """Return the names by which a page of the list can be sorted."""
        return [name for name, listed in self.columns.items() if listed.orders]

    def beyond(self, order: Order, after: Cursor) -> ColumnElement[bool]:
        """Return the WHERE of everything that comes after a row."""
        key = [listed.column for listed in self.key(order)]
        values = (after.value, after.id)[-len(key) :]
        end = tuple_(*(literal(value, column.type) for value, column in zip(values, key, strict=True)))
        return tuple_(*key) < end if order.descending else tuple_(*key) > end

    def _search(self, part: str) -> ColumnElement[bool]:
        return or_(*(column.icontains(part, autoescape=True) for column in self.search))


def fetch_list(
    connection: Connection,
    statement: Select[Any],
    listing: Listing,
    request: ListRequest,
    *,
    load: Callable[[Row[Any]], View],
    parameters: Mapping[str, Any] | None = None,
) -> Page[View]:
    """Return a page of a select, and how many rows it has in all.

    Args:
        load: turns a row into what the API shows.
        parameters: values that the select, or a column of the list, leaves open.

    Raises:
        TooManyRows: all rows were asked for, and there are more than one answer may hold.
    """
    wanted = statement.where(*listing.conditions(request.filters))
    total = connection.execute(select(func.count()).select_from(wanted.subquery()), parameters).scalar_one()
    if request.page == EVERYTHING and total > EVERYTHING.per_page:
        raise TooManyRows(total)
    ordered = wanted.order_by(*listing.order_by(request.order))
    rows = connection.execute(ordered.limit(request.page.per_page).offset(request.page.offset), parameters).all()
    return Page([load(row) for row in rows], total, request.page)


def fetch_slice(
    connection: Connection,
    statement: Select[Any],
    listing: Listing,
    request: ListRequest,
    *,
    load: Callable[[Row[Any]], View],
) -> Slice[View]:
    """Return a part of a select that is walked by key: it costs the same wherever it begins, and counts nothing.

    Args:
        load: turns a row into what the API shows.
    """
    order, limit = request.order, request.page.per_page
    wanted = statement.where(*listing.conditions(request.filters))
    if request.after is not None:
        wanted = wanted.where(listing.beyond(order, request.after))
    key = [listing.columns[name].column for name in (order.attribute, _ID)]
    # One row more tells whether there is a next part.
    ordered = wanted.add_columns(*(column.label(f"key_{n}") for n, column in enumerate(key)))
    found = connection.execute(ordered.order_by(*listing.order_by(order)).limit(limit + 1)).freeze()
    width = len(statement.selected_columns)
    rows = found().columns(*range(width)).all()[:limit]
    ends = [Cursor(*end) for end in found().columns(width, width + 1)]
    return Slice([load(row) for row in rows], request, ends[limit - 1] if len(ends) > limit else None)


def fetch_part(
    connection: Connection,
    statement: Select[Any],
    listing: Listing,
    request: ListRequest,
    *,
    load: Callable[[Row[Any]], View],
) -> Page[View] | Slice[View]:
    """Return a part of a select, walked as the caller wants.

    Raises:
        TooManyRows: all rows were asked for, and there are more than one answer may hold.
    """
    if request.by_key:
        return fetch_slice(connection, statement, listing, request, load=load)
    return fetch_list(connection, statement, listing, request, load=load)


def _directed(listed: Listed, order: Order) -> Any:
    directed = listed.column.desc() if order.descending else listed.column.asc()
    if not listed.nullable:
        return directed
    # The two databases put NULL at different ends, unless they are told.
    return directed.nulls_first() if order.descending else directed.nulls_last()


def _begins_with(column: ColumnElement[Any], beginning: str) -> ColumnElement[bool]:
    # LIKE can use an index, and passes over upper and lower case in SQLite only.
    exact = func.substr(column, 1, len(beginning)) == beginning
    return and_(column.startswith(beginning, autoescape=True), exact)


_COMPARISONS: Mapping[Comparison, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    Comparison.EQUAL: lambda column, value: column == value,
    Comparison.FROM: lambda column, value: column >= value,
    Comparison.UNTIL: lambda column, value: column < value,
    Comparison.PREFIX: _begins_with,
}
