"""The request that tells a receiver of an event.

Source: CloudEvents 1.0 (JSON format); Standard Webhooks 1.0 (standardwebhooks.com) for the signature;
RFC 7617 for Basic.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

from services.notifier.domain.webhooks import ContentType

MASK = "***"
MIN_SECRET_LENGTH = 16
MAX_SECRET_LENGTH = 128

_PREFIX = "whsec_"
_SHOWN = frozenset({"content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature"})

_MIN_HIDDEN_LENGTH = 4

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Headers
    body: bytes


def encode_body(event: str, content_type: str) -> bytes:
    """Return the body of a request.

    Args:
        event: as JSON.
    """
    if content_type == ContentType.FORM:
        return urlencode({"payload": event}).encode()
    return event.encode()


def build_headers(
    body: bytes,
    *,
    id: str,
    now: datetime,
    content_type: str,
    user_agent: str,
    credentials: tuple[str, str] | None,
    secret: str | None,
    custom: Headers,
) -> Headers:
    """Return the headers of a request; custom ones take the place of ours, but for those that are reserved.

    Args:
        id: of the delivery, the same at every attempt.
        credentials: user and password.
        secret: what the body is signed with.
    """
    own = [("Content-Type", content_type), ("User-Agent", user_agent)]
    if credentials:
        own.append(("Authorization", _basic(*credentials)))
    replaced = {name.lower() for name, _ in custom}
    stamp = str(int(now.timestamp()))
    signed = [("webhook-id", id), ("webhook-timestamp", stamp)]
    if secret is not None:
        signed.append(("webhook-signature", sign(secret, id, stamp, body)))
    return [*(header for header in own if header[0].lower() not in replaced), *custom, *signed]


def mask_headers(headers: Headers, custom: Headers) -> Headers:
    """Return headers as they are kept: without the values that may be secrets."""
    hidden = {name.lower() for name, _ in custom}
    return [(name, value if name.lower() in _SHOWN - hidden else MASK) for name, value in headers]


def hide_echoes(text: str, sent: Headers, kept: Headers) -> str:
    """Return an answer's text without the masked values of a request, should the receiver send them back.

    Args:
        sent, kept: the headers of the request, before and after they were masked.
    """
    values = [value for (_, value), (_, shown) in zip(sent, kept, strict=True) if shown == MASK]
    for secret in sorted(_parts(values), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def sign(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """Return the value of ``webhook-signature``.

    Source: Standard Webhooks, "Signature scheme".
    """
    signed = b".".join((id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, sha256)).decode()


def secret_fault(secret: str) -> str | None:
    """Return why something cannot be a signing secret."""
    if not MIN_SECRET_LENGTH <= len(secret) <= MAX_SECRET_LENGTH:
        return f"must have {MIN_SECRET_LENGTH} to {MAX_SECRET_LENGTH} characters"
    if not secret.isprintable():
        return "must hold no control characters"
    if secret.startswith(_PREFIX) and len(_decode(secret) or b"") < MIN_SECRET_LENGTH:
        return f"must be {_PREFIX} and the Base64 of {MIN_SECRET_LENGTH} bytes at least, or any other text"
    return None


def _parts(values: Sequence[str]) -> set[str]:
    """Return values, what follows the name of a scheme in them, and the password of Basic."""
    found = {part for value in values for part in (value, value.rpartition(" ")[2])}
    for part in [value.removeprefix("Basic ") for value in values if value.startswith("Basic ")]:
        found.add((_decode(part) or b"").decode("utf-8", "replace").partition(":")[2])
    # Shorter ones would be found in everything.
    return {part for part in found if len(part) >= _MIN_HIDDEN_LENGTH}


def _key(secret: str) -> bytes:
    # ``whsec_…`` is what the libraries of Standard Webhooks take; any other text is its own key.
    decoded = _decode(secret) if secret.startswith(_PREFIX) else None
    return secret.encode() if decoded is None else decoded


def _decode(secret: str) -> bytes | None:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
