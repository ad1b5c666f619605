"""Fields and base classes of the schemas."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

from marshmallow import Schema, fields, pre_load, validate

from services.auth.domain.lifetimes import MAX_TTL_S, Lifetime

MAX_ID = 2**31 - 1
"""Largest id that PostgreSQL's integer column can be asked about; a larger one does not exist."""

_TIMES = validate.Range(datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
_LINE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z")
_LINES = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*\Z")


def text(*, longest: int, shortest: int = 0, lines: bool = False, **options: Any) -> fields.String:
    """Return a text field of limited length.

    Args:
        lines: whether line ends and tabs are welcome; other control characters never are, and no
            database takes half a surrogate pair.
    """
    pattern = _LINES if lines else _LINE
    printable = validate.Regexp(pattern, error="must hold no control characters")
    return fields.String(validate=[validate.Length(shortest, longest), printable], **options)


def moment(**options: Any) -> fields.AwareDateTime:
    """Return a field for a moment; UTC unless it says otherwise."""
    return fields.AwareDateTime(default_timezone=UTC, validate=_TIMES, **options)


def seconds(*, shortest: int = 1, **options: Any) -> fields.Integer:
    """Return a field for a time in seconds."""
    return fields.Integer(strict=True, validate=validate.Range(shortest, MAX_TTL_S), **options)


def take_lifetime(values: dict[str, Any]) -> Lifetime:
    """Take ``expires_at`` and ``ttl_s`` out of what a request holds."""
    ttl_s = values.pop("ttl_s", None)
    return Lifetime(values.pop("expires_at", None), None if ttl_s is None else timedelta(seconds=ttl_s))


def flat(view: Any, **more: Any) -> SimpleNamespace:
    """Return what a dataclass holds and more, side by side, so that one schema can dump it."""
    return SimpleNamespace(**{field.name: getattr(view, field.name) for field in dataclasses.fields(view)}, **more)


class Input(Schema):
    """A request body; fields that it does not know are refused, so that a typing error is seen.

    ``wrapper``: the Portus API wants some bodies nested under one name (``{"user": {…}}``); both
    forms are taken.
    """

    wrapper: ClassVar[str | None] = None

    @pre_load
    def unwrap(self, data: Any, **_options: Any) -> Any:
        """Take the body out of its wrapper."""
        if self.wrapper and isinstance(data, Mapping) and set(data) == {self.wrapper}:
            return data[self.wrapper]
        return data


class ValidationOutput(Schema):
    """Whether something could be made: sentences by field, and whether there are none."""

    messages = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    valid = fields.Boolean()


class Dated(Schema):
    """A response body that tells when its subject was made and last changed."""

    created_at = fields.AwareDateTime()
    updated_at = fields.AwareDateTime()
