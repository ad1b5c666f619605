"""The two ways to sign a token, and the kind of key that goes with each.

Source: RFC 7518 §3.3 (RS256), §3.4 (ES256), §6 (their JSON Web Keys).
"""

import base64
from enum import Enum

from cryptography.hazmat.primitives.asymmetric import ec, rsa

RSA_BITS = 2048
_EXPONENT = 65537
_COORDINATE_BYTES = 32

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
VerifyingKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Algorithm(Enum):
    """``alg`` of a token's header."""

    ES256 = "ES256"
    RS256 = "RS256"


def new_signing_key(algorithm: Algorithm) -> SigningKey:
    """Make a key."""
    if algorithm is Algorithm.RS256:
        return rsa.generate_private_key(_EXPONENT, RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def algorithm_of(key: object) -> Algorithm:
    """Return the one algorithm that a key is for, whatever a token's header says.

    Source: RFC 8725 §3.1.

    Raises:
        TypeError: a key of another kind.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return Algorithm.RS256
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return Algorithm.ES256
    raise TypeError(f"no token is signed with a key like this: {type(key).__name__}")


def dump_key(key: VerifyingKey) -> dict[str, str]:
    """Return the members of a JSON Web Key that hold the key itself."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    point = key.public_numbers()
    # RFC 7518 §6.2.1.2: coordinates are padded to the curve's size.
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _number(point.x, _COORDINATE_BYTES),
        "y": _number(point.y, _COORDINATE_BYTES),
    }


def _number(number: int, size_bytes: int | None = None) -> str:
    size_bytes = size_bytes or (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(size_bytes, "big")).rstrip(b"=").decode()
