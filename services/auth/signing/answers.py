"""Answers that are kept for a while, encrypted: some hold a secret that is shown once."""

from collections.abc import Callable

from cryptography.fernet import Fernet, InvalidToken

from services.auth.signing.authority import Authority

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
        return self._fernet().encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes | None:
        """Return what was encrypted; ``None`` when that was under another CA."""
        try:
            return self._fernet().decrypt(encrypted)
        except InvalidToken:
            return None

    def _fernet(self) -> Fernet:
        return Fernet(self._read_authority().derive_key(_PURPOSE))
