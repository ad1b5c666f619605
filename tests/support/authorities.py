"""CAs as operators bring them: of any kind of key, below one another, right and wrong."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from services.auth import app
from services.auth.signing.certificates import key_usage
from services.auth.signing.keyring import Keyring
from services.auth.signing.watched_authority import WatchedAuthority
from tests.support.auth import AuthService

KEYS: Mapping[str, Callable[[], Any]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True)
class Ca:
    """A CA, or what passes itself off as one."""

    certificate: x509.Certificate
    key: Any
    parents: tuple[x509.Certificate, ...] = ()

    def write(
        self,
        folder: Path,
        *,
        names: tuple[str, str] = ("ca.crt", "ca.key"),
        crt: bytes | None = None,
        key: bytes | None = None,
    ) -> Path:
        """Put its two files into a folder; ``crt`` and ``key`` say what they hold instead."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / names[0]).write_bytes(pem(self.certificate, *self.parents) if crt is None else crt)
        (folder / names[1]).write_bytes(self.pem_key() if key is None else key)
        return folder

    def pem_key(self, *, passphrase: bytes | None = None) -> bytes:
        encryption: KeySerializationEncryption = NoEncryption()
        if passphrase:
            encryption = BestAvailableEncryption(passphrase)
        return bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def make_ca(
    name: str = "ca",
    *,
    under: Ca | None = None,
    kind: str = "P-256",
    key: Any = None,
    is_ca: bool = True,
    path_length: int | None = None,
    usage: x509.KeyUsage | None = key_usage(certificates=True),  # noqa: B008 - a constant
    now: datetime | None = None,
    days: tuple[float, float] = (-1, 365),
) -> Ca:
    """Make a CA.

    Args:
        under: who signs it; itself, if nobody.
        days: when it begins and ends, counted from now.
    """
    key, now = key or KEYS[kind](), now or datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(under.certificate.subject if under else _name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(is_ca, path_length), critical=True)
    )
    if usage:
        certificate = certificate.add_extension(usage, critical=True)
    issuer = under.key if under else key
    signed = certificate.sign(issuer, None if isinstance(issuer, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    return Ca(signed, key, (under.certificate, *under.parents) if under else ())


def write_server_certificate(ca: Ca, folder: Path, *, host: str = "localhost") -> tuple[Path, Path]:
    """Make what a server of that name needs for TLS; return the paths of its certificate and its key."""
    key, now = KEYS["P-256"](), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    Ca(certificate, key).write(folder, names=("server.crt", "server.key"))
    return folder / "server.crt", folder / "server.key"


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def new_keyring(auth: AuthService, **changes: Any) -> Keyring:
    """Return the keyring of another process on the same database, with changed settings."""
    settings = dataclasses.replace(auth.services.settings, **changes)
    authority = WatchedAuthority(settings.ca_dir, clock=auth.clock)
    return app.new_keyring(settings, authority, database=auth.database, clock=auth.clock)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
