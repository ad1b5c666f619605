"""The query parameters of a list, made from its declaration (``shared.listing.Listing``).

``sort_attr`` and ``sort_order`` are the names of the Portus API. A column ``x`` is narrowed by ``x=``;
a time by ``x_from=`` (not before) and ``x_until=`` (before); ``q=`` searches.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate
from sqlalchemy import BigInteger, Boolean, Integer, String

from shared.api.paging import DEFAULT_PER_PAGE, EVERYTHING, MAX_PAGE, MAX_PER_PAGE, ListRequest, Order, PageRequest
from shared.api.slices import AFTER, MAX_CURSOR_LENGTH, parse_cursor
from shared.database import UtcDateTime
from shared.listing import SEARCH, Comparison, Listed, Listing

MAX_FILTER_LENGTH = 255
"""Longest text that a list is narrowed by."""

PRINTABLE = validate.Regexp(re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z"), error="must hold no control characters")
_TIMES = validate.Range(datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
_MEANING: Mapping[Comparison, str] = {
    Comparison.EQUAL: "Only those with this {}.",
    Comparison.FROM: "Only those whose {} is not before this time.",
    Comparison.UNTIL: "Only those whose {} is before this time.",
    Comparison.PREFIX: "Only those whose {} begins with this.",
}
BY_KEY = "by_key"
"""The query parameter with which a list that can be walked either way is walked by key."""

_PAGING = frozenset({"page", "per_page", "all", "sort_attr", "sort_order", AFTER, BY_KEY})


class ListQuery(Schema):
    """What every list takes; the functions below add the rest."""

    listing: Listing

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> ListRequest:
        """Put the parameters together."""
        order = self._order(values)
        after = values.get(AFTER)
        return ListRequest(
            page=EVERYTHING
            if values.get("all")
            else PageRequest(values.get("page", 1), values.get("per_page", DEFAULT_PER_PAGE)),
            order=order,
            filters={name: value for name, value in values.items() if name not in _PAGING},
            after=after and self._cursor(after, order),
            by_key=self._is_by_key(values, order),
        )

    def _is_by_key(self, values: Mapping[str, Any], order: Order) -> bool:
        by_key = bool(values.get(BY_KEY)) or AFTER in values
        if by_key and order.attribute not in self.listing.key_names():
            raise ValidationError(f"the list is walked by key by: {', '.join(self.listing.key_names())}", "sort_attr")
        return by_key

    def _order(self, values: Mapping[str, Any]) -> Order:
        own, attribute = self.listing.order, values.get("sort_attr")
        # Another column is not asked for in the list's own direction: that belongs to its own column.
        descending = own.descending if attribute in (None, own.attribute) else False
        if "sort_order" in values:
            descending = values["sort_order"] == "desc"
        return Order(attribute or own.attribute, descending)

    def _cursor(self, text: str, order: Order) -> Any:
        columns = self.listing.columns
        return parse_cursor(text, order, value=_field(columns[order.attribute]), id=_field(columns["id"]))


def page_query(listing: Listing) -> Schema:
    """Return the query parameters of a list that is walked by page number."""
    return _query(listing, listing.order_names(), _page_parameters())


def either_query(listing: Listing, *, whole: bool = True) -> Schema:
    """Return the query parameters of a list that is walked by page number or, if the caller so wants, by key.

    Args:
        whole: whether all of it may be asked for at once; not where a row is long.
    """
    return _query(listing, listing.order_names(), _either_parameters(whole=whole))


def ordered_query(listing: Listing) -> Schema:
    """Return the query parameters of a list that is walked either way, in its own order only and all of it."""
    schema: Schema = type("ListQuery", (ListQuery,), {**_either_parameters(whole=False), "listing": listing})()
    return schema


def key_query(listing: Listing) -> Schema:
    """Return the query parameters of a list that is walked by key."""
    return _query(listing, listing.key_names(), {"per_page": _per_page(), AFTER: _after()})


def file_query(listing: Listing) -> Schema:
    """Return the query parameters of a list that is given whole, as one file."""
    return _query(listing, listing.key_names(), {})


def filter_schema(name: str, listing: Listing, **further: fields.Field[Any]) -> Schema:
    """Return what narrows a list, for a change of all that it then shows.

    Args:
        name: what the schema is called in the document.
        **further: other fields of the request.
    """
    schema: Schema = type(name, (Schema,), {**_filter_parameters(listing), **further})()
    return schema


def _query(listing: Listing, sortable: list[str], paging: Mapping[str, fields.Field[Any]]) -> Schema:
    members = {**paging, **_order_parameters(listing, sortable), **_filter_parameters(listing), "listing": listing}
    schema: Schema = type("ListQuery", (ListQuery,), members)()
    return schema


def _either_parameters(*, whole: bool) -> dict[str, fields.Field[Any]]:
    by_key = _flag("Walk the list by key: no page and no totals, but a Link to the next part, however long it is.")
    own = {name: field for name, field in _page_parameters().items() if whole or name != "all"}
    return {**own, BY_KEY: by_key, AFTER: _after()}


def _page_parameters() -> dict[str, fields.Field[Any]]:
    return {
        "page": fields.Integer(load_default=1, validate=validate.Range(1, MAX_PAGE)),
        "per_page": _per_page(),
        "all": _flag(
            f"Everything in one answer, without pages; 400 when that is more than {EVERYTHING.per_page} rows."
        ),
    }


def _after() -> fields.String:
    described = {"description": "Where to go on: from the Link header of the part before."}
    return fields.String(validate=validate.Length(1, MAX_CURSOR_LENGTH), metadata=described)


def _order_parameters(listing: Listing, sortable: list[str]) -> dict[str, fields.Field[Any]]:
    own = listing.order
    direction = "desc" if own.descending else "asc"
    attribute = fields.String(
        validate=validate.OneOf(sortable, error="must be one of: {choices}"),
        metadata={"description": f"By what to sort; {own.attribute} unless given. Equal rows are sorted by id."},
    )
    directed = fields.String(
        validate=validate.OneOf(["asc", "desc"], error="must be asc or desc"),
        metadata={"description": f"{direction} unless given; asc when sort_attr is given alone."},
    )
    return {"sort_attr": attribute, "sort_order": directed}


def _filter_parameters(listing: Listing) -> dict[str, fields.Field[Any]]:
    found = {
        parameter: _field(listed, description=_MEANING[comparison].format(parameter.removesuffix(comparison)))
        for parameter, (listed, comparison) in listing.parameters().items()
    }
    if listing.search:
        found[SEARCH] = _text("Only those that contain this, in upper or lower case.", shortest=1)
    return found


def _field(listed: Listed, *, description: str = "") -> fields.Field[Any]:
    kind, metadata = listed.column.type, {"description": description}
    if listed.choices is not None:
        return fields.Enum(listed.choices, by_value=True, metadata=metadata)
    match kind:
        case UtcDateTime():
            return fields.AwareDateTime(default_timezone=UTC, validate=_TIMES, metadata=metadata)
        case Boolean():
            return _flag(description)
        case Integer():
            highest = 2**63 - 1 if isinstance(kind, BigInteger) else 2**31 - 1
            return fields.Integer(validate=validate.Range(-highest, highest), metadata=metadata)
        case String():
            return _text(description)
        case _:
            raise TypeError(f"a list cannot be narrowed by a column of type {kind!r}")


def _per_page() -> fields.Integer:
    return fields.Integer(load_default=DEFAULT_PER_PAGE, validate=validate.Range(1, MAX_PER_PAGE))


def _flag(description: str) -> fields.Boolean:
    return fields.Boolean(metadata={"description": description})


def _text(description: str, *, shortest: int = 0) -> fields.String:
    length = validate.Length(shortest, MAX_FILTER_LENGTH)
    return fields.String(validate=[length, PRINTABLE], metadata={"description": description})
