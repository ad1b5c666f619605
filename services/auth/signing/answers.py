"""Answers that are kept for a while, encrypted: some hold a secret that is shown once."""

from cryptography.fernet import Fernet, InvalidToken

from services.auth.signing.authority import Authority

_PURPOSE = "portus idempotent answers 1"


class AnswerCipher:
    """Encrypts under a key derived from the CA's private key, like the signing leaves."""

    def __init__(self, authority: Authority) -> None:
        self._fernet = Fernet(authority.derive_key(_PURPOSE))

    def encrypt(self, plain: bytes) -> bytes:
        """Return ASCII bytes."""
        return self._fernet.encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes | None:
        """Return what was encrypted; ``None`` when that was under another CA."""
        try:
            return self._fernet.decrypt(encrypted)
        except InvalidToken:
            return None
