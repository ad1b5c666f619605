"""A leaf: the short-lived key that signs tokens, and its certificate under the CA."""

import base64
import textwrap
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from services.auth.signing.authority import BACKDATED, Authority, key_usage
from services.auth.storage.leaves import StoredLeaf

LIFETIME = timedelta(days=7)
_PURPOSE = "portus signing leaves 1"
_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Leaf:
    """A loaded leaf: the key object is kept, because parsing it costs more than signing."""

    kid: str
    x5c: tuple[str, ...]
    """The certificate as RFC 7515 §4.1.6 wants it: base64 of the DER."""
    key: EllipticCurvePrivateKey = field(repr=False)
    created_at: datetime
    expires_at: datetime

    @property
    def public_key(self) -> EllipticCurvePublicKey:
        return self.key.public_key()


def mint_leaf(authority: Authority, *, now: datetime) -> StoredLeaf:
    """Make a leaf that the registry will trust, ready to be stored."""
    key = generate_private_key(SECP256R1())
    expires_at = min(now + LIFETIME, authority.certificate.not_valid_after_utc)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return StoredLeaf(
        kid=libtrust_fingerprint(key.public_key()),
        authority=authority.fingerprint,
        certificate=_certificate(authority, key, now, expires_at).public_bytes(Encoding.PEM).decode(),
        private_key=_cipher(authority).encrypt(plain).decode(),
        created_at=now,
        expires_at=expires_at,
    )


def load_leaf(authority: Authority, stored: StoredLeaf) -> Leaf:
    """Decrypt and load a leaf of this CA."""
    key = load_der_private_key(_cipher(authority).decrypt(stored.private_key.encode()), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"leaf {stored.kid} holds no EC key")
    certificate = x509.load_pem_x509_certificate(stored.certificate.encode())
    x5c = (base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),)
    return Leaf(stored.kid, x5c, key, stored.created_at, stored.expires_at)


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

    Source: RFC 7517 §4, RFC 7518 §6.2.1.2 (coordinates are padded to the curve's size).
    """
    numbers = leaf.public_key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _coordinate(numbers.x),
        "y": _coordinate(numbers.y),
        "use": "sig",
        "alg": "ES256",
        "kid": leaf.kid,
        "x5c": list(leaf.x5c),
    }


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES, "big")).rstrip(b"=").decode()


def _cipher(authority: Authority) -> Fernet:
    return Fernet(authority.derive_key(_PURPOSE))


def _certificate(
    authority: Authority, key: EllipticCurvePrivateKey, now: datetime, expires_at: datetime
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Portus token signer")])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
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
        .add_extension(issuer_key, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
