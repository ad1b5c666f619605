"""Tokens that the registry trusts.

Source: distribution "Token Authentication Specification" and "Token Authentication Implementation".
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import jwt

from services.auth.signing.keyring import Keyring
from services.auth.usecases.issue_token import RegistryToken
from shared.clock import Clock
from shared.config import Secret
from shared.oci.scopes import Scope

NOT_BEFORE_LEEWAY_S = 5


class RegistryTokenSigner:
    """Signs what has been decided.

    Args:
        issuer: the registry's ``auth.token.issuer``.
        service: the first registry's ``auth.token.service``.
        ttl_s: life of a token, where a registry has none of its own.
    """

    def __init__(self, keyring: Keyring, *, issuer: str, service: str, ttl_s: int, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._service = service
        self._ttl_s = ttl_s
        self._clock = clock

    def sign(
        self, subject: str, access: Sequence[Scope] | None, *, service: str | None = None, ttl_s: int | None = None
    ) -> RegistryToken:
        """Sign a token.

        Args:
            subject: username of the authenticated caller; empty for an anonymous one.
            access: what was granted; ``None`` leaves the claim out, as a login wants it.
            service: the audience; ``None`` or empty: the first registry.
            ttl_s: life of the token; ``None``: as the installation has it.
        """
        ttl_s = ttl_s or self._ttl_s
        leaf = self._keyring.current()
        now = self._clock().replace(microsecond=0)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": subject,
            # A single string: registry 2.8 refuses a list.
            "aud": service or self._service,
            "iat": int(now.timestamp()),
            "nbf": int((now - timedelta(seconds=NOT_BEFORE_LEEWAY_S)).timestamp()),
            "exp": int((now + timedelta(seconds=ttl_s)).timestamp()),
            "jti": secrets.token_hex(16),
        }
        if access is not None:
            claims["access"] = [_dump_access(scope) for scope in access]
        # Registry 2.8 and 3.x both take the chain in x5c; the kid is for those who know the key.
        headers = {"typ": "JWT", "kid": leaf.kid, "x5c": list(leaf.x5c)}
        token = jwt.encode(claims, leaf.key, algorithm=leaf.algorithm.value, headers=headers)
        return RegistryToken(Secret(token), now, ttl_s)


def _dump_access(scope: Scope) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": scope.type, "name": scope.name, "actions": list(scope.actions)}
    return entry | ({"class": scope.resource_class} if scope.resource_class else {})
