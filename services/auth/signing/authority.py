"""The CA that the registry trusts: a pair of files, made once.

Every certificate that this CA signs can mint tokens for the registry, and the registry checks
neither key usage nor revocation. So the CA is ours alone, may not sign further CAs, and its leaves
live for days.
"""

import base64
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from shared.config import SettingsError

CERTIFICATE_FILE = "ca.crt"
KEY_FILE = "ca.key"
LIFETIME = timedelta(days=3650)
BACKDATED = timedelta(hours=1)
"""Clocks differ: what is made now must be valid at once everywhere."""


class AuthorityError(SettingsError):
    """The CA's files cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The loaded CA."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key (DER SubjectPublicKeyInfo), in hexadecimal."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return sha256(public).hexdigest()

    def derive_key(self, purpose: str) -> bytes:
        """Derive a key for Fernet from the CA's private key: one secret less to keep.

        Source: RFC 5869.
        """
        secret = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)
        return base64.urlsafe_b64encode(derived)


def create_authority(folder: Path, *, now: datetime) -> bool:
    """Make the CA's files, unless they are there.

    Safe when several processes do it at once, and after a crash halfway: a file appears whole or not
    at all, none is ever overwritten, and all agree on the key that was first.

    Returns:
        Whether anything had to be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made_key = _publish(folder / KEY_FILE, _new_key(), mode=0o600)
    # The key that won, which need not be the one made above.
    key = _load_key(folder)
    made_certificate = not (folder / CERTIFICATE_FILE).exists() and _publish(
        folder / CERTIFICATE_FILE, _self_signed(key, now).public_bytes(Encoding.PEM), mode=0o644
    )
    return made_key or made_certificate


def load_authority(folder: Path) -> Authority:
    """Read the CA's files.

    Raises:
        AuthorityError: a file is missing or unusable, or the two do not belong together.
    """
    key = _load_key(folder)
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
    except (OSError, ValueError) as fault:
        raise _unusable(folder / CERTIFICATE_FILE, fault) from fault
    if certificate.public_key() != key.public_key():
        raise AuthorityError(f"{CERTIFICATE_FILE} and {KEY_FILE} in {folder} do not belong together")
    return Authority(certificate, key)


def authority_fault(folder: Path, *, now: datetime) -> str | None:
    """Return why the CA cannot be used, or ``None``: a readiness check."""
    try:
        authority = load_authority(folder)
    except AuthorityError as fault:
        return str(fault)
    if authority.certificate.not_valid_after_utc <= now:
        return f"the CA in {folder} has expired: move its files away, run 'init-ca', give the registry the new ca.crt"
    return None


def _load_key(folder: Path) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise _unusable(folder / KEY_FILE, fault) from fault
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise AuthorityError(f"{folder / KEY_FILE} is not a P-256 key")
    return key


def _unusable(path: Path, fault: Exception) -> AuthorityError:
    why = "is missing" if isinstance(fault, FileNotFoundError) else f"cannot be read ({type(fault).__name__})"
    return AuthorityError(f"{path} {why}: run 'python -m services.auth init-ca', or set PORTUS_CA_DIR")


def _publish(path: Path, content: bytes, *, mode: int) -> bool:
    """Put a file in place whole, unless there is one; return whether it was ours."""
    # NamedTemporaryFile makes it 0600, so the key is never readable by others.
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary = Path(file.name)
    temporary.chmod(mode)
    try:
        # A hard link fails when the name is taken; a rename would replace it.
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return True


def _new_key() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _self_signed(key: EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Portus registry tokens")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def key_usage(*, certificates: bool) -> x509.KeyUsage:
    """Return the one usage that a certificate of ours allows: signing certificates, or tokens."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
