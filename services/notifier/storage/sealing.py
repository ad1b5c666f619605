"""What is kept to be sent again, passwords and signing secrets: encrypted, so that a stolen database tells none.

The key is derived from ``PORTUS_INTERNAL_SECRET``, which every notifier has: see
docs/decisions/0012-webhooks-reach-public-addresses.md.
"""

from shared.ciphers import derive_cipher
from shared.config import Secret

_PURPOSE = "portus webhook secrets 1"


class Unsealable(Exception):
    """It was sealed under another key."""


class Seal:
    """Encrypts and decrypts.

    Args:
        secret: what the key is derived from.
    """

    def __init__(self, secret: Secret) -> None:
        self._cipher = derive_cipher(secret, _PURPOSE)

    def close(self, plain: Secret) -> str:
        """Return what may be stored."""
        return self._cipher.encrypt(plain.reveal().encode()).decode()

    def open(self, sealed: str) -> Secret:
        """Return what was sealed.

        Raises:
            Unsealable: that was under another key.
        """
        plain = self._cipher.decrypt(sealed.encode())
        if plain is None:
            raise Unsealable
        return Secret(plain.decode())
