"""Fields and base classes of the schemas."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, fields, pre_load, validate

MAX_ID = 2**31 - 1
"""Largest id that PostgreSQL's integer column can be asked about; a larger one does not exist."""

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


class Dated(Schema):
    """A response body that tells when its subject was made and last changed."""

    created_at = fields.AwareDateTime()
    updated_at = fields.AwareDateTime()
