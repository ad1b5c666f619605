"""Tokens for the registry, obtained from our own ``auth`` like any other client obtains them.

Source: distribution "Token Authentication Specification".
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from threading import Lock
from time import monotonic

import requests
import structlog

from services.catalog.clients.challenges import Challenge
from services.catalog.domain.occurrences import SERVICE_ACCOUNT
from services.catalog.usecases.registry import RegistryRefused, RegistryUnavailable
from shared.config import Secret
from shared.upstream import UpstreamError, UpstreamSession

TOKEN_PATH = "/v2/token"  # noqa: S105 - a path
MAX_CACHED = 1000
SHORTEST_LIFE_S = 60
"""Of a token that does not say how long it lives (token specification)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Cached:
    token: str
    good_until_s: float


class RegistryTokens:
    """Gets and keeps tokens, one per scope.

    A registry names the address of its token server in its challenge. Our credentials go to our own
    ``auth`` and nowhere else, whatever a registry claims.

    Args:
        auth: a session on ``PORTUS_AUTH_URL``.
        service: ``PORTUS_REGISTRY_SERVICE``.
        secret: password of the internal account.
    """

    def __init__(self, auth: UpstreamSession, *, service: str, secret: Secret) -> None:
        self._auth = auth
        self._service = service
        self._secret = secret
        self._cache: dict[str, _Cached] = {}
        self._lock = Lock()
        self._is_wanted = False
        self._is_explained = False

    def find_token(self, scope: str) -> str | None:
        """Return a token for a scope; ``None`` for a registry that has never asked for one.

        Raises:
            RegistryRefused, RegistryUnavailable: ``auth`` gave none.
        """
        with self._lock:
            cached = self._cache.get(scope)
        if cached and cached.good_until_s > monotonic():
            return cached.token
        return self._fetch(scope) if self._is_wanted else None

    def new_token(self, scope: str) -> str:
        """Return a token whose whole life is still before it, for somebody else to use.

        Raises:
            RegistryRefused, RegistryUnavailable: ``auth`` gave none.
        """
        return self._fetch(scope)

    def answer_challenge(self, challenge: Challenge, scope: str) -> str:
        """Return a new token after the registry has asked for one.

        Raises:
            RegistryRefused: the registry wants tokens that we cannot get.
            RegistryUnavailable: ``auth`` does not answer.
        """
        if challenge.scheme != "bearer" or challenge.service != self._service:
            self._explain_challenge(challenge)
            raise RegistryRefused("the registry does not trust our tokens: see the log")
        self._is_wanted = True
        return self._fetch(scope)

    def accepted(self) -> None:
        """Note that the registry let us in, so that the next refusal is news again."""
        self._is_explained = False

    def refused(self, challenge: Challenge, token: str, scope: str) -> RegistryRefused:
        """Say in the log what to change after the registry refused a fresh token."""
        if challenge.error == "insufficient_scope" and scope.endswith(":delete"):
            return RegistryRefused("auth lets nobody delete: PORTUS_DELETE_ENABLED is false there")
        if challenge.error == "insufficient_scope":
            hint = "auth does not grant its own account what the registry asks for; is its database migrated?"
        else:
            hint = (
                "The registry does not accept the tokens that auth signs. In the registry's configuration "
                "auth.token.service must be PORTUS_REGISTRY_SERVICE, auth.token.issuer must be PORTUS_ISSUER "
                "(here: token_issuer), and auth.token.rootcertbundle must hold the ca.crt of PORTUS_CA_DIR; "
                "then restart the registry."
            )
        self._explain(
            "registry.token_refused",
            hint,
            error=challenge.error,
            auth_token_service=challenge.service,
            token_issuer=_issuer(token),
        )
        return RegistryRefused("the registry does not accept our token: see the log")

    def _fetch(self, scope: str) -> str:
        query = {"service": self._service, "scope": scope, "client_id": "portus-catalog", "account": SERVICE_ACCOUNT}
        try:
            response = self._auth.request(
                "GET", TOKEN_PATH, params=query, auth=(SERVICE_ACCOUNT, self._secret.reveal())
            )
        except UpstreamError as fault:
            raise RegistryUnavailable(f"no token for the registry: {fault}") from fault
        if response.status_code != 200:
            raise self._account_refused(response)
        cached = _load_token(response)
        with self._lock:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[scope] = cached
        return cached.token

    def _account_refused(self, response: requests.Response) -> RegistryRefused | RegistryUnavailable:
        if response.status_code == 429 or response.status_code >= 500:
            return RegistryUnavailable(f"no token for the registry: auth answers {response.status_code}")
        hint = (
            "auth gives no token to its own account. PORTUS_SERVICE_ACCOUNT_SECRET and PORTUS_REGISTRY_SERVICE "
            "must be the same for auth and catalog."
        )
        self._explain("registry.account_refused", hint, status=response.status_code)
        return RegistryRefused("auth gives us no token for the registry: see the log")

    def _explain_challenge(self, challenge: Challenge) -> None:
        if challenge.scheme != "bearer":
            hint = "The registry does not ask for tokens: configure its auth.token, and no other auth."
            self._explain("registry.asks_for_no_token", hint, scheme=challenge.scheme)
            return
        hint = "The registry's auth.token.service and our PORTUS_REGISTRY_SERVICE differ: make them the same."
        self._explain("registry.service_differs", hint, auth_token_service=challenge.service)

    def _explain(self, event: str, hint: str, **values: object) -> None:
        # Once per change for the worse: every further request would say the same.
        if not self._is_explained:
            log.error(event, hint=hint, portus_registry_service=self._service, **values)
        self._is_explained = True


def _load_token(response: requests.Response) -> _Cached:
    try:
        body = response.json()
        token = body.get("token") or body["access_token"]
        life_s = max(float(body.get("expires_in", SHORTEST_LIFE_S)), SHORTEST_LIFE_S)
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        raise RegistryRefused("auth's answer holds no token") from fault
    # A quarter of a short life is kept for clocks that differ and requests that take their time.
    return _Cached(str(token), monotonic() + life_s - min(30.0, life_s / 4))


def _issuer(token: str) -> str:
    """Return what a token of our own says of its issuer, for the log only."""
    try:
        payload = token.split(".")[1]
        return str(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"])
    except (ValueError, LookupError, TypeError):
        return ""
