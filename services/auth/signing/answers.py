"""Answers that are kept for a while, encrypted: some hold a secret that is shown once."""

from collections.abc import Callable

from services.auth.signing.authority import Authority
from shared.ciphers import KeyCipher

_PURPOSE = "portus idempotent answers 1"


class AnswerCipher:
    """Encrypts under a key derived from the CA's private key, like the signing leaves.

    Args:
        read_authority: returns the CA as it is now.
    """

    def __init__(self, read_authority: Callable[[], Authority]) -> None:
        self._read_authority = read_authority

    def encrypt(self, plain: bytes) -> bytes:
        """Return ASCII bytes."""
        return self._cipher().encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes | None:
        """Return what was encrypted; ``None`` when that was under another CA."""
        return self._cipher().decrypt(encrypted)

    def _cipher(self) -> KeyCipher:
        return KeyCipher(self._read_authority().derive_key(_PURPOSE))
