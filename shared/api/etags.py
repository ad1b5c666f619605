"""Versions of a single resource: ``ETag``, ``If-None-Match`` and ``If-Match``.

An ETag is strong and comes from what is shown: two answers with the same ETag are the same, byte for
byte. What is shown can depend on who asks, so an ETag is good for the caller who got it. ``If-Match`` is
compared inside the transaction that changes, after the use case has locked what it is about to change:
two callers who have seen the same version cannot both succeed.

Source: RFC 9110 §8.8.3, §13.1.1, §13.1.2.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from marshmallow import Schema

Expected = Callable[[object], None]
"""What a use case is given besides its values: called with what it is about to change, as its caller
sees it, and raises ``PreconditionFailed`` when that is not what the caller has seen before."""


class PreconditionFailed(Exception):
    """What is to be changed is no longer what the caller has seen."""

    def __init__(self) -> None:
        super().__init__("It has been changed since you read it: read it again, and send the ETag that comes with it.")


def anything(_found: object) -> None:
    """Be an ``Expected`` that is content with whatever there is."""


def if_match(schema: Schema) -> Expected:
    """Return what the present request expects of that which it changes.

    Args:
        schema: dumps what the use case finds, as GET does.
    """
    wanted = request.if_match
    if not wanted:
        return anything

    def check(found: object) -> None:
        if not wanted.contains(_hash(jsonify(schema.dump(found)))):
            raise PreconditionFailed

    return check


def versioned(response: Response) -> Response:
    """Give an answer that shows one resource its ETag; 304 to a reader who has that version already."""
    tag = _hash(response)
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
        # There is no content to be of any type.
        del response.headers["Content-Type"]
    response.set_etag(tag)
    # Kept by the one who asked, and asked about each time: rights may have changed.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.add("Authorization")
    return response


def _hash(response: Any) -> str:
    return hashlib.sha256(response.get_data()).hexdigest()[:32]
