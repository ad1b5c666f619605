"""The CA that signs our leaves: a pair of files, ours or the operator's own.

A registry that trusts this CA trusts every certificate that it signs, whatever their key usage says,
and looks at no revocation. So it should be ours alone.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services.auth.signing.certificates import chain_fault, is_self_issued
from shared.config import SettingsError

CERTIFICATE_FILE = "ca.crt"
KEY_FILE = "ca.key"
TLS_CERTIFICATE_FILE = "tls.crt"
TLS_KEY_FILE = "tls.key"
"""Kubernetes' names, in a Secret of type kubernetes.io/tls."""
MIN_RSA_BITS = 2048
_RENEWAL = "renew it, or move its files away, run 'init-ca' and give the registry the new ca.crt"

AuthorityKey = EllipticCurvePrivateKey | RSAPrivateKey


class AuthorityError(SettingsError):
    """The CA's files cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The loaded CA."""

    certificate: x509.Certificate
    key: AuthorityKey = field(repr=False)
    parents: tuple[x509.Certificate, ...] = ()
    """The issuer of the certificate, that one's issuer, and so on, as far as the file goes."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key (DER SubjectPublicKeyInfo), in hexadecimal."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return sha256(public).hexdigest()

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """What stands between a leaf and the root that a registry has, nearest to the leaf first."""
        return tuple(one for one in (self.certificate, *self.parents) if not is_self_issued(one))

    @property
    def expires_at(self) -> datetime:
        """When the first of its certificates ends; then no registry takes what it signed."""
        return min(one.not_valid_after_utc for one in (self.certificate, *self.parents))

    @property
    def starts_at(self) -> datetime:
        """From when on all its certificates are valid."""
        return max(one.not_valid_before_utc for one in (self.certificate, *self.parents))

    @property
    def hash(self) -> hashes.SHA256 | hashes.SHA384:
        """What it signs certificates with: a hash as strong as its key."""
        wide = isinstance(self.key, EllipticCurvePrivateKey) and isinstance(self.key.curve, SECP384R1)
        return hashes.SHA384() if wide else hashes.SHA256()

    def derive_key(self, purpose: str) -> bytes:
        """Derive a key for Fernet from the CA's private key: one secret less to keep.

        Source: RFC 5869.
        """
        secret = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)
        return base64.urlsafe_b64encode(derived)


@dataclass(frozen=True, slots=True)
class AuthorityFiles:
    """The two files of a CA as they were read."""

    certificate_path: Path
    key_path: Path
    certificates: bytes
    key: bytes = field(repr=False)


def read_files(folder: Path) -> AuthorityFiles:
    """Read ``ca.crt`` and ``ca.key``, or ``tls.crt`` and ``tls.key``.

    Raises:
        AuthorityError: a file is missing or cannot be read, or there are two pairs.
    """
    certificate, key = folder / CERTIFICATE_FILE, folder / KEY_FILE
    if (folder / TLS_KEY_FILE).exists():
        # A kubernetes.io/tls Secret may hold a ca.crt as well: its issuer, which is not for signing.
        if key.exists():
            raise AuthorityError(f"{folder} holds {KEY_FILE} and {TLS_KEY_FILE}: take one of them away")
        certificate, key = folder / TLS_CERTIFICATE_FILE, folder / TLS_KEY_FILE
    return AuthorityFiles(certificate, key, certificates=_read(certificate), key=_read(key))


def load_authority(folder: Path) -> Authority:
    """Read the CA; whether it is valid at the moment is not asked.

    Raises:
        AuthorityError: a file is missing or unusable, or the two do not belong together.
    """
    return parse_authority(read_files(folder))


def load_valid_authority(folder: Path, *, now: datetime) -> Authority:
    """Read a CA that can be used at this moment.

    Raises:
        AuthorityError: it cannot.
    """
    authority = load_authority(folder)
    if fault := validity_fault(authority, now=now):
        raise AuthorityError(f"the CA in {folder} {fault}")
    return authority


def authority_fault(folder: Path, *, now: datetime) -> str | None:
    """Return why the CA cannot be used, or ``None``."""
    try:
        load_valid_authority(folder, now=now)
    except AuthorityError as fault:
        return str(fault)
    return None


def parse_authority(files: AuthorityFiles) -> Authority:
    """Load a CA from what its files hold.

    Raises:
        AuthorityError: they are unusable, or do not belong together.
    """
    key = load_authority_key(files.key_path, files.key)
    try:
        certificate, *parents = x509.load_pem_x509_certificates(files.certificates)
        belongs = certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise _unusable(files.certificate_path, fault) from fault
    if not belongs:
        names = f"{files.certificate_path.name} and {files.key_path.name}"
        raise AuthorityError(f"{names} in {files.key_path.parent} do not belong together")
    if refusal := chain_fault([certificate, *parents]):
        raise AuthorityError(f"{files.certificate_path} is not usable: {refusal}")
    return Authority(certificate, key, tuple(parents))


def validity_fault(authority: Authority, *, now: datetime) -> str | None:
    """Return why a CA cannot be used at the moment, or ``None``."""
    if authority.expires_at <= now:
        return f"has expired ({authority.expires_at:%Y-%m-%d %H:%M} UTC): {_RENEWAL}"
    if authority.starts_at > now:
        return f"is not valid before {authority.starts_at:%Y-%m-%d %H:%M} UTC"
    return None


def load_authority_key(path: Path, content: bytes) -> AuthorityKey:
    """Load a CA's private key.

    Raises:
        AuthorityError: it is encrypted, of another kind, too short, or no key.
    """
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError as fault:
        raise AuthorityError(f"{path} is encrypted: store the key without a passphrase") from fault
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise _unusable(path, fault) from fault
    if isinstance(key, RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise AuthorityError(f"{path} is an RSA key of {key.key_size} bits: it needs {MIN_RSA_BITS}")
    if isinstance(key, RSAPrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1 | SECP384R1):
        return key
    raise AuthorityError(f"{path} is no key that can be used: take P-256, P-384 or RSA")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise _unusable(path, fault) from fault


def _unusable(path: Path, fault: Exception) -> AuthorityError:
    why = "is missing" if isinstance(fault, FileNotFoundError) else f"cannot be read ({type(fault).__name__})"
    return AuthorityError(f"{path} {why}: run 'python -m services.auth init-ca', or set PORTUS_CA_DIR")
