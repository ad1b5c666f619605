"""Issue a token for the registry: authenticate, decide each action of each scope, sign."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.auth.domain.access import check_supported, decide_scope, namespaces_of
from services.auth.domain.decisions import Policy
from services.auth.usecases.authenticate import Authenticator, PasswordCredentials
from shared.config import Secret
from shared.oci.scopes import Scope

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client of the registry asks, whichever verb it used."""

    credentials: PasswordCredentials | None
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


SignToken = Callable[[str, Sequence[Scope] | None], RegistryToken]
"""(subject, granted scopes or ``None`` for a login) → token."""


def issue_token(
    request: TokenRequest,
    *,
    authenticator: Authenticator,
    policy: Policy,
    service: str,
    sign: SignToken,
    note_unknown_service: Callable[[str | None], None],
) -> IssuedToken:
    """Issue a token for the registry.

    Args:
        service: the registry's name; a request for any other gets a token that opens nothing.
        note_unknown_service: told about such requests.

    Raises:
        InvalidScope: a scope's type is not known.
        AuthFault: the caller could not be established.
    """
    check_supported(request.scopes)
    caller = authenticator.authenticate(
        request.credentials, address=request.address, namespaces=namespaces_of(request.scopes)
    )
    known = request.service == service
    if not known:
        note_unknown_service(request.service)
    verdicts = [decide_scope(caller.subject, scope, caller.namespaces, policy) for scope in request.scopes if known]
    granted = tuple(verdict.granted for verdict in verdicts if verdict.granted)
    # A login at a registry that we know goes without the claim; anything else tells what was granted.
    token = sign(caller.subject.username, granted if request.scopes or not known else None)
    log.info("token.issued", subject=caller.subject.username, asked=len(request.scopes), granted=len(granted))
    return IssuedToken(token, granted)
