"""How a request's body and parameters are read, and which status says that they cannot be used.

As in the Portus API, 400 means that the request itself is at fault: no JSON, no object, a required
field is missing. 422 means that a value breaks a rule. Query parameters that a route does not know are
refused, so that a typing error does not widen a list.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Request, abort
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.core import is_json
from webargs.flaskparser import FlaskParser
from webargs.flaskparser import abort as abort_with

_MISSING = fields.Field.default_error_messages["required"]


class Parser(FlaskParser):
    """Reads the arguments of a view."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012

    def _raw_load_json(self, req: Request) -> Any:
        if not is_json(req.mimetype) and req.content_length:
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as JSON, with Content-Type: application/json.")
        return super()._raw_load_json(req)

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Turn faults into 400 or 422."""
        unreadable = {_MISSING, schema.error_messages["type"]}
        malformed = any(text in unreadable for text in _texts(error.messages))
        status = HTTPStatus.BAD_REQUEST if malformed else HTTPStatus.UNPROCESSABLE_ENTITY
        abort_with(error_status_code or status, exc=error, messages=error.messages, schema=schema)


def _texts(messages: Any) -> Iterator[str]:
    if isinstance(messages, Mapping):
        messages = list(messages.values())
    if isinstance(messages, list):
        for message in messages:
            yield from _texts(message)
    else:
        yield str(messages)
