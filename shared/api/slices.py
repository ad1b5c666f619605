"""Parts of a list that is walked by key: ``after`` in, ``X-Per-Page`` and ``Link`` to the next part out.

Every part costs the same, however long the list is, and rows that are added meanwhile move none that
are still to come. Nothing is counted.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from flask import Response
from marshmallow import ValidationError, fields

from shared.api.paging import Cursor, ListRequest, Order, Page, address_with, set_page_headers

Row = TypeVar("Row")

AFTER = "after"
"""The query parameter that says where to go on."""
MAX_CURSOR_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """One part of a list.

    Args:
        following: where the next part begins, ``None`` when there is none.
    """

    rows: Sequence[Row]
    request: ListRequest
    following: Cursor | None


def set_slice_headers(response: Response, part: Slice[Row]) -> Response:
    """Describe a part of a list in the response's headers."""
    response.headers["X-Per-Page"] = str(part.request.page.per_page)
    if part.following is not None:
        address = address_with(AFTER, dump_cursor(part.following, part.request.order))
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def set_part_headers(response: Response, part: Page[Row] | Slice[Row]) -> Response:
    """Describe a part of a list that can be walked either way."""
    return set_slice_headers(response, part) if isinstance(part, Slice) else set_page_headers(response, part)


def dump_cursor(cursor: Cursor, order: Order) -> str:
    """Write a cursor as callers give it back: opaque to them, and good for the same order only."""
    value = cursor.value.isoformat() if isinstance(cursor.value, datetime) else cursor.value
    text = json.dumps([order.attribute, order.descending, value, cursor.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_cursor(text: str, order: Order, *, value: fields.Field[Any], id: fields.Field[Any]) -> Cursor:
    """Read a cursor back.

    Args:
        value: reads the column by which the list is sorted; what may not be asked of that column
            cannot come in by a cursor either.
        id: reads an id.

    Raises:
        ValidationError: this list did not make it in this order.
    """
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        attribute, descending, *key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        raw_value, raw_id = key
    except (ValueError, TypeError, RecursionError) as fault:
        raise ValidationError("is no cursor: take it from the Link header", AFTER) from fault
    if (attribute, descending) != (order.attribute, order.descending):
        raise ValidationError("belongs to another order: begin again without it", AFTER)
    try:
        return Cursor(value.deserialize(raw_value), id.deserialize(raw_id))
    except ValidationError as fault:
        raise ValidationError("is no cursor: take it from the Link header", AFTER) from fault
