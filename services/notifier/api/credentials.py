"""The secret that a request shows, in either of the forms that a registry's configuration can hold."""

import binascii
from base64 import b64decode


def shown_secret(authorization: str) -> str:
    """Return what an ``Authorization`` header carries; the empty text when that is nothing.

    ``Bearer <secret>`` is what our documentation says; ``Basic`` comes from an endpoint whose URL
    holds the secret as its password.

    Source: RFC 6750 §2.1, RFC 7617 §2.
    """
    scheme, _, credentials = authorization.partition(" ")
    # WSGI hands over the header's bytes as Latin-1.
    raw = credentials.strip().encode("latin-1", "replace")
    match scheme.lower():
        case "bearer":
            return raw.decode("utf-8", "surrogateescape")
        case "basic":
            return _password(raw)
    return ""


def _password(raw: bytes) -> str:
    try:
        pair = b64decode(raw, validate=True).decode("utf-8", "surrogateescape")
    except binascii.Error:
        return ""
    return pair.partition(":")[2]
