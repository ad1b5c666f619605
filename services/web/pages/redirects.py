"""Where a form may lead afterwards: to an address of our own and nowhere else."""

import re

from flask import redirect, request
from werkzeug.wrappers import Response

MAX_NEXT_LENGTH = 2048

# One slash and then neither a slash nor a backslash: browsers read "//host" and "/\host" as another
# host. Control characters are out because browsers drop some of them before they look.
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")


def local_path(value: str | None) -> str | None:
    """Return an address if it is a path on this host; ``None`` for anything else."""
    if value and len(value) <= MAX_NEXT_LENGTH and _LOCAL_PATH.fullmatch(value):
        return value
    return None


def current_path() -> str:
    """Return this request's path and query, to come back to."""
    return request.full_path.removesuffix("?")


def see_other(target: str) -> Response:
    """Answer a form with the page to look at next (RFC 9110 §15.4.4)."""
    return redirect(target, code=303)
