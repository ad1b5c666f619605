"""What is kept to be sent again, passwords and signing secrets: encrypted, so that a stolen database tells none.

The key is derived from ``PORTUS_INTERNAL_SECRET``, which every notifier has: see
docs/decisions/0012-webhooks-reach-public-addresses.md.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.config import Secret

_PURPOSE = b"portus webhook secrets 1"


class Unsealable(Exception):
    """It was sealed under another key."""


class Seal:
    """Encrypts and decrypts.

    Args:
        secret: what the key is derived from (RFC 5869).
    """

    def __init__(self, secret: Secret) -> None:
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.reveal().encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, plain: Secret) -> str:
        """Return what may be stored."""
        return self._fernet.encrypt(plain.reveal().encode()).decode()

    def open(self, sealed: str) -> Secret:
        """Return what was sealed.

        Raises:
            Unsealable: that was under another key.
        """
        try:
            return Secret(self._fernet.decrypt(sealed.encode()).decode())
        except InvalidToken as fault:
            raise Unsealable from fault
