"""A CA of our own, made once: P-256, ten years, no further CAs below it."""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.auth.signing.authority import (
    CERTIFICATE_FILE,
    KEY_FILE,
    TLS_KEY_FILE,
    AuthorityError,
    AuthorityKey,
    load_authority_key,
)
from services.auth.signing.certificates import BACKDATED, key_usage

LIFETIME = timedelta(days=3650)


def create_authority(folder: Path, *, now: datetime) -> bool:
    """Make the CA's files, unless they are there.

    Safe when several processes do it at once, and after a crash halfway: a file appears whole or not
    at all, none is ever overwritten, and all agree on the key that was first.

    Returns:
        Whether anything had to be made.

    Raises:
        AuthorityError: there is a certificate without its key, or a key that cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certificate_path, key_path = folder / CERTIFICATE_FILE, folder / KEY_FILE
    if (folder / TLS_KEY_FILE).exists():
        return False
    # Ours are made in the other order, so this is somebody's, and a key of ours would not fit.
    if certificate_path.exists() and not key_path.exists():
        raise AuthorityError(f"{key_path} is missing: put the key of {CERTIFICATE_FILE} there, or take that away")
    made_key = _publish(key_path, _new_key(), mode=0o600)
    if certificate_path.exists():
        return made_key
    # The key that won, which need not be the one made above.
    certificate = _self_signed(load_authority_key(key_path, key_path.read_bytes()), now)
    return _publish(certificate_path, certificate.public_bytes(Encoding.PEM), mode=0o644) or made_key


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


def _self_signed(key: AuthorityKey, now: datetime) -> x509.Certificate:
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
