"""What is kept and must not be read by whoever gets hold of a database: encrypted under a key of the service's."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.config import Secret


class KeyCipher:
    """Encrypts under one key; what comes out is ASCII.

    Args:
        key: 32 bytes in URL-safe Base64.
    """

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def encrypt(self, plain: bytes) -> bytes:
        """Return ASCII bytes."""
        return self._fernet.encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes | None:
        """Return what was encrypted; ``None`` when that was under another key."""
        try:
            return self._fernet.decrypt(encrypted)
        except InvalidToken:
            return None


def derive_cipher(secret: Secret, purpose: str) -> KeyCipher:
    """Return a cipher whose key comes from a secret.

    Args:
        purpose: what is encrypted; for another purpose the key is another.

    Source: RFC 5869 (HKDF).
    """
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
    return KeyCipher(base64.urlsafe_b64encode(kdf.derive(secret.reveal().encode())))
