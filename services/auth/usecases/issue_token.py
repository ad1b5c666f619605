"""Issue a token for the registry: authenticate, decide each action of each scope, sign."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from services.auth.domain.access import ScopeVerdict, check_supported, decide_scope, namespaces_of
from services.auth.domain.decisions import Policy
from services.auth.domain.registries import RegistryFacts
from services.auth.usecases.authenticate import Authenticator, Caller, Credentials
from shared.config import Secret
from shared.oci.scopes import Scope

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client of the registry asks, whichever verb it used."""

    credentials: Credentials | None
    """``None``: an anonymous caller."""
    service: str | None
    """What the registry told the client that it is called; it never becomes an audience."""
    scopes: tuple[Scope, ...]
    address: str


@dataclass(frozen=True, slots=True)
class RegistryToken:
    """A signed token and what its holder must know of it."""

    token: Secret = field(repr=False)
    issued_at: datetime
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and what was granted; less than was asked is no error."""

    token: RegistryToken
    granted: tuple[Scope, ...]


class SignToken(Protocol):
    """Signs what has been decided."""

    def __call__(
        self, subject: str, access: Sequence[Scope] | None, *, service: str | None = None, ttl_s: int | None = None
    ) -> RegistryToken:
        """Sign a token.

        Args:
            access: granted scopes; ``None`` for a login.
            service: the audience; ``None``: the first registry, likewise for the token's life.
        """


def issue_token(
    request: TokenRequest,
    *,
    authenticator: Authenticator,
    policy: Policy,
    sign: SignToken,
    passwords_welcome: bool,
    note_unknown_service: Callable[[str | None], None],
) -> IssuedToken:
    """Issue a token for the registry.

    Args:
        policy: the installation's; a registry may have its own.
        passwords_welcome: whether a person's password will do.
        note_unknown_service: told about requests for a registry that nobody knows; they get a token
            that opens nothing.

    Raises:
        InvalidScope: a scope's type is not known.
        AuthFault: the caller could not be established.
    """
    check_supported(request.scopes)
    caller = authenticator.authenticate(
        request.credentials,
        address=request.address,
        service=request.service,
        namespaces=namespaces_of(request.scopes),
        passwords_welcome=passwords_welcome,
    )
    registry = caller.registry
    if registry is None:
        note_unknown_service(request.service)
    verdicts = _decide(caller, registry, request.scopes, policy)
    granted = tuple(verdict.granted for verdict in verdicts if verdict.granted)
    # A login at a registry that we know goes without the claim; anything else tells what was granted.
    access = granted if request.scopes or registry is None else None
    token = sign(
        caller.subject.username,
        access,
        service=registry.service if registry else None,
        ttl_s=registry.token_ttl_s if registry else None,
    )
    log.info("token.issued", subject=caller.subject.username, asked=len(request.scopes), granted=len(granted))
    return IssuedToken(token, granted)


def _decide(
    caller: Caller, registry: RegistryFacts | None, scopes: Sequence[Scope], policy: Policy
) -> list[ScopeVerdict]:
    if registry is None:
        return []
    return [decide_scope(caller.subject, scope, caller.namespaces, registry.policy(policy)) for scope in scopes]
