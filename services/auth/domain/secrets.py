"""Secrets that machines use: random, recognisable by a prefix, and guarded against typing errors.

``portus_at_`` + 43 characters (256 random bits, base 62) + 6 characters (CRC-32 of what stands before,
base 62). A scanner of leaked secrets finds them by the prefix and knows by the checksum that it is one.
What is stored is the SHA-256: that many random bits need no slow hash.
"""

import hashlib
import zlib
from enum import StrEnum

ENTROPY_BYTES = 32
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 43
_CHECKSUM_LENGTH = 6
SECRET_LENGTH = 60
"""Of the longest secret, its prefix included; what is longer is none."""


class SecretKind(StrEnum):
    """What a secret is for; the value is its prefix."""

    APPLICATION_TOKEN = "portus_at_"  # noqa: S105 - a prefix
    ROBOT = "portus_rb_"
    REFRESH_TOKEN = "portus_rr_"  # noqa: S105 - a prefix


def new_secret(kind: SecretKind, entropy: bytes) -> str:
    """Return a secret.

    Args:
        entropy: 32 random bytes.
    """
    body = kind.value + _base62(int.from_bytes(entropy), _RANDOM_LENGTH)
    return body + _checksum(body)


def kind_of(text: str) -> SecretKind | None:
    """Tell which kind of secret a text is; ``None`` for anything else, a mistyped secret too."""
    body, checksum = text[:-_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    kind = next((kind for kind in SecretKind if body.startswith(kind.value)), None)
    if kind is None or len(body) != len(kind.value) + _RANDOM_LENGTH or not body.isascii():
        return None
    return kind if checksum == _checksum(body) else None


def secret_hash(secret: str) -> str:
    """Return what is stored of a secret and what it is looked up by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, remainder = divmod(number, 62)
        digits.append(_DIGITS[remainder])
    return "".join(reversed(digits))
