"""Issue a token for the registry: authenticate, decide each action of each scope, sign."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from services.auth.domain.access import ScopeVerdict, check_supported, decide_scope, namespaces_of
from services.auth.domain.decisions import Decision, Policy
from services.auth.domain.errors import BadCredentials
from services.auth.domain.records import ENTROPY_BYTES, Verdict, judge, new_record_id
from services.auth.domain.registries import RegistryFacts
from services.auth.domain.subjects import SubjectKind
from services.auth.usecases.authenticate import Authenticator, Caller, Credentials
from services.auth.usecases.decision_log import Client, Decided
from shared.clock import Clock
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
    client: Client


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


@dataclass(frozen=True, slots=True)
class Issuing:
    """What issuing tokens needs."""

    authenticator: Authenticator
    sign: SignToken
    clock: Clock
    policy: Policy
    """The installation's; a registry may have its own."""
    passwords_welcome: bool
    """Whether a person's password will do."""
    first_service: str
    """The service name that the environment gives the first registry."""
    note: Callable[[Decided, int], None]
    """Takes a note of a decision and its weight, without making the caller wait."""
    note_unknown_service: Callable[[str | None], None]
    """Told about requests for a registry that nobody knows; they get a token that opens nothing."""


def issue_token(request: TokenRequest, *, issuing: Issuing) -> IssuedToken:
    """Issue a token for the registry.

    Raises:
        InvalidScope: a scope's type is not known.
        AuthFault: the caller could not be established.
    """
    check_supported(request.scopes)
    caller = _authenticate(request, issuing)
    registry = caller.registry
    if registry is None:
        issuing.note_unknown_service(request.service)
    verdicts = _decide(caller, registry, request.scopes, issuing.policy)
    _note(request, caller, judge(verdicts), verdicts, issuing)
    granted = tuple(verdict.granted for verdict in verdicts if verdict.granted)
    # A login at a registry that we know goes without the claim; anything else tells what was granted.
    access = granted if request.scopes or registry is None else None
    token = issuing.sign(
        caller.subject.username,
        access,
        service=registry.service if registry else None,
        ttl_s=registry.token_ttl_s if registry else None,
    )
    log.info("token.issued", subject=caller.subject.username, asked=len(request.scopes), granted=len(granted))
    return IssuedToken(token, granted)


def _authenticate(request: TokenRequest, issuing: Issuing) -> Caller:
    try:
        return issuing.authenticator.authenticate(
            request.credentials,
            address=request.address,
            service=request.service,
            namespaces=namespaces_of(request.scopes),
            passwords_welcome=issuing.passwords_welcome,
        )
    except BadCredentials as fault:
        if fault.subject is not None:
            refused = [_refused(scope, "unauthenticated", str(fault)) for scope in request.scopes]
            _note(request, Caller(fault.subject), Verdict.UNAUTHENTICATED, refused, issuing, reason=str(fault))
        raise


def _decide(
    caller: Caller, registry: RegistryFacts | None, scopes: Sequence[Scope], policy: Policy
) -> list[ScopeVerdict]:
    if registry is None:
        return [_refused(scope, "unknown-registry", "Portus knows no registry of that name") for scope in scopes]
    return [decide_scope(caller.subject, scope, caller.namespaces, registry.policy(policy)) for scope in scopes]


def _refused(scope: Scope, rule: str, reason: str) -> ScopeVerdict:
    return ScopeVerdict(scope, tuple((action, Decision(False, rule, reason)) for action in scope.actions))


def _note(
    request: TokenRequest,
    caller: Caller,
    verdict: Verdict,
    verdicts: Sequence[ScopeVerdict],
    issuing: Issuing,
    reason: str = "",
) -> None:
    if verdict is Verdict.LOGIN and caller.subject.kind is SubjectKind.ANONYMOUS:
        # Nobody asked for nothing.
        return
    now = issuing.clock()
    decided = Decided(
        new_record_id(now, secrets.token_bytes(ENTROPY_BYTES)),
        now,
        caller,
        (caller.registry and caller.registry.service) or request.service or issuing.first_service,
        request.address,
        request.client,
        verdict,
        verdicts,
        reason,
    )
    issuing.note(decided, decided.weight)
