"""Short-lived tokens for our own APIs. The registry does not take them, nor do we take the registry's.

Source: RFC 9068; RFC 8725 §3 (what a verifier spells out).
"""

import secrets
from datetime import timedelta

import jwt

from services.auth.domain.errors import BadCredentials
from services.auth.signing.keyring import Keyring
from services.auth.usecases.sessions import AccessToken
from shared.clock import Clock
from shared.config import Secret

AUDIENCE = "portus-api"
TYPE = "at+jwt"
_REQUIRED = ["iss", "aud", "sub", "sid", "iat", "exp", "jti"]
LEEWAY_S = 5
"""Clocks of two machines differ."""

_SPENT = "The access token is no longer good. Sign in again."


class AccessTokens:
    """Issues and verifies access tokens, with the keys that all processes of ``auth`` share.

    Args:
        issuer: ``iss``, checked on the way in.
        ttl_s: life of a token.
    """

    def __init__(self, keyring: Keyring, *, issuer: str, ttl_s: int, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._ttl_s = ttl_s
        self._clock = clock

    def issue(self, username: str, session_id: str) -> AccessToken:
        """Sign a token for a session."""
        leaf = self._keyring.current()
        now = self._clock()
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": username,
            "sid": session_id,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=self._ttl_s)).timestamp()),
            "jti": secrets.token_hex(16),
        }
        headers = {"typ": TYPE, "kid": leaf.kid}
        token = jwt.encode(claims, leaf.key, algorithm=leaf.algorithm.value, headers=headers)
        return AccessToken(Secret(token), self._ttl_s)

    def verify(self, token: Secret) -> str:
        """Return the id of the session that a token belongs to; whether it still exists is not asked.

        Raises:
            BadCredentials: it is not one of ours, or has expired.
        """
        try:
            header = jwt.get_unverified_header(token.reveal())
            leaf = self._keyring.find(str(header.get("kid")))
            # RFC 8725 §3.11: the type tells it apart from the tokens for the registry.
            if leaf is None or header.get("typ") != TYPE:
                raise BadCredentials(_SPENT)
            claims = jwt.decode(
                token.reveal(),
                leaf.public_key,
                # RFC 8725 §3.1: what the key is for, not what the token's header says.
                algorithms=[leaf.algorithm.value],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": _REQUIRED, "verify_signature": True, "verify_exp": True, "strict_aud": True},
            )
        except jwt.InvalidTokenError as fault:
            raise BadCredentials(_SPENT) from fault
        return str(claims["sid"])
