"""A leaf: the short-lived key that signs tokens, and its certificate under the CA."""

import base64
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from services.auth.signing.algorithms import (
    Algorithm,
    SigningKey,
    VerifyingKey,
    algorithm_of,
    dump_key,
    new_signing_key,
)
from services.auth.signing.authority import Authority
from services.auth.signing.certificates import BACKDATED, authority_key_identifier, key_usage
from services.auth.storage.leaves import StoredLeaf

SIGNS_AFTER = timedelta(minutes=2)
"""By then every process has read the table, which it does once a minute, and can verify the leaf."""
_PURPOSE = "portus signing leaves 1"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A loaded leaf, which verifies tokens."""

    kid: str
    algorithm: Algorithm
    """The only one that its key is used with."""
    issuer: x509.Name
    x5c: tuple[str, ...]
    """Its certificate and those between it and the root, as RFC 7515 §4.1.6 wants them: base64 of DER."""
    public_key: VerifyingKey = field(repr=False)
    created_at: datetime
    signs_at: datetime
    """From when on it may sign."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SigningLeaf(Leaf):
    """A leaf of the CA in use, which signs tokens too.

    The key object is kept, because parsing it costs more than signing.
    """

    key: SigningKey = field(repr=False)

    def is_under(self, authority: Authority) -> bool:
        """Tell whether it brings the certificates that this CA has now."""
        return self.issuer == authority.certificate.subject and self.x5c[1:] == _x5c(authority.intermediates)


def mint_leaf(
    authority: Authority, *, algorithm: Algorithm, ttl: timedelta, now: datetime, at_once: bool = False
) -> StoredLeaf:
    """Make a leaf that the registry will trust, ready to be stored.

    Args:
        ttl: its life; it never outlives the CA.
        at_once: whether it signs before every process has read it.
    """
    key = new_signing_key(algorithm)
    expires_at = min(now + ttl, authority.expires_at)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    chain = (_certificate(authority, key, now, expires_at), *authority.intermediates)
    return StoredLeaf(
        kid=libtrust_fingerprint(key.public_key()),
        authority=authority.fingerprint,
        certificate="".join(one.public_bytes(Encoding.PEM).decode() for one in chain),
        private_key=_cipher(authority).encrypt(plain).decode(),
        created_at=now,
        expires_at=expires_at,
        at_once=at_once,
    )


def load_leaf(authority: Authority, stored: StoredLeaf) -> Leaf:
    """Load a leaf; one of the CA in use can sign, one of a CA before it verifies only.

    Raises:
        InvalidToken: its private key was not encrypted under this CA's.
        ValueError: what is stored cannot be read.
        TypeError: it holds a key of another kind.
    """
    certificates = x509.load_pem_x509_certificates(stored.certificate.encode())
    public_key = certificates[0].public_key()
    parts: dict[str, Any] = {
        "kid": stored.kid,
        "algorithm": algorithm_of(public_key),
        "issuer": certificates[0].issuer,
        "x5c": _x5c(certificates),
        "public_key": public_key,
        "created_at": stored.created_at,
        "signs_at": stored.created_at if stored.at_once else stored.created_at + SIGNS_AFTER,
        "expires_at": stored.expires_at,
    }
    if stored.authority != authority.fingerprint:
        return Leaf(**parts)
    key = load_der_private_key(_cipher(authority).decrypt(stored.private_key.encode()), password=None)
    return SigningLeaf(**parts, key=key)  # type: ignore[arg-type]


def libtrust_fingerprint(key: PublicKeyTypes) -> str:
    """Return the ``kid`` by which registry 2.8 knows a key.

    Source: distribution "Token Authentication Implementation", JOSE header: SHA-256 of the DER
    SubjectPublicKeyInfo, cut at 240 bits, base32, in groups of four.
    """
    public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    encoded = base64.b32encode(sha256(public).digest()[:30]).decode()
    return ":".join(textwrap.wrap(encoded, 4))


def public_jwk(leaf: Leaf) -> dict[str, object]:
    """Return a leaf's public key as a JSON Web Key.

    Source: RFC 7517 §4.
    """
    about = {"use": "sig", "alg": leaf.algorithm.value, "kid": leaf.kid, "x5c": list(leaf.x5c)}
    return {**dump_key(leaf.public_key), **about}


def key_set(leaves: Iterable[Leaf]) -> dict[str, object]:
    """Return a JSON Web Key Set.

    Source: RFC 7517 §5.
    """
    return {"keys": [public_jwk(leaf) for leaf in leaves]}


def _x5c(certificates: Iterable[x509.Certificate]) -> tuple[str, ...]:
    return tuple(base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates)


def _cipher(authority: Authority) -> Fernet:
    return Fernet(authority.derive_key(_PURPOSE))


def _certificate(authority: Authority, key: SigningKey, now: datetime, expires_at: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Portus token signer")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(expires_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(certificates=False), critical=True)
        .add_extension(authority_key_identifier(authority.certificate), critical=False)
        .sign(authority.key, authority.hash)
    )
