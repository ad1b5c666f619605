"""Issue a token for the registry: authenticate, decide each action of each scope, sign."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from services.auth.domain.access import ScopeVerdict, check_supported, decide_scope, namespaces_of
from services.auth.domain.decisions import Decision, Policy
from services.auth.domain.errors import BadCredentials
from services.auth.domain.namespaces import namespace_of
from services.auth.domain.records import ENTROPY_BYTES, Verdict, judge, new_record_id
from services.auth.domain.refusals import LapsedGrant, Refused, refused, sentence
from services.auth.domain.registries import RegistryFacts
from services.auth.domain.subjects import SubjectKind
from services.auth.metrics import TOKENS_DEGRADED
from services.auth.storage.lapsed_grants import find_lapsed_grants
from services.auth.usecases.authenticate import Authenticator, Caller, Credentials, RefreshCredentials
from services.auth.usecases.decision_log import Client, Decided
from services.auth.usecases.logins import LoginKeeper, may_stay, open_login
from services.auth.usecases.recent_callers import RecentCallers, Shown
from shared.clock import Clock
from shared.config import Secret
from shared.database import DATABASE_AWAY, Database
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
    stays: bool = False
    """Whether the client wants a refresh token."""
    takes_less: bool = False
    """Whether the client asks to push where it may only mean to pull, so that a smaller grant serves it better."""


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
    refresh_token: Secret | None = None
    """Of a login that lasts; the one that was shown, if one was."""


@dataclass(frozen=True, slots=True)
class RefusedToken:
    """Why there is no token: it would be good for nothing that the client means to do."""

    sentence: str
    link: str
    """Of the page that explains it."""


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
    recent: RecentCallers
    """Vouches for callers while the database is away."""
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
    logins: LoginKeeper
    explain_refusals: bool
    """Whether people are told why, or get a token that opens nothing."""
    web_url: str
    """Of the portal, for links."""
    database: Database
    note_unknown_service: Callable[[str | None], None]
    """Told about requests for a registry that nobody knows; they get a token that opens nothing."""


def issue_token(request: TokenRequest, *, issuing: Issuing) -> IssuedToken | RefusedToken:
    """Issue a token for the registry, or say why there is none.

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
    verdict = judge(verdicts)
    record_id = _note(request, caller, verdict, verdicts, issuing)
    granted = tuple(verdict.granted for verdict in verdicts if verdict.granted)
    if verdict is Verdict.REFUSED and registry is not None and _is_told(request, caller, granted, issuing):
        return _refuse(caller, registry, verdicts, record_id, issuing)
    # A login at a registry that we know goes without the claim; anything else tells what was granted.
    access = granted if request.scopes or registry is None else None
    token = issuing.sign(
        caller.subject.username,
        access,
        service=registry.service if registry else None,
        ttl_s=registry.token_ttl_s if registry else None,
    )
    return IssuedToken(token, granted, _refresh_token(request, caller, registry, issuing))


def _refresh_token(
    request: TokenRequest, caller: Caller, registry: RegistryFacts | None, issuing: Issuing
) -> Secret | None:
    if isinstance(request.credentials, RefreshCredentials):
        # Token specification, "OAuth2 Token Authentication": the same one comes back.
        return request.credentials.token
    if not request.stays or registry is None or not may_stay(caller):
        return None
    return open_login(
        caller,
        registry_id=registry.id,
        client_id=request.client.client_id,
        address=request.address,
        keeper=issuing.logins,
    )


def _is_told(request: TokenRequest, caller: Caller, granted: Sequence[Scope], issuing: Issuing) -> bool:
    """Tell whether a refusal is answered with its reason: to people and robots, not to Portus itself."""
    if not issuing.explain_refusals or (request.takes_less and granted):
        return False
    return caller.subject.kind in (SubjectKind.PERSON, SubjectKind.ROBOT)


def _refuse(
    caller: Caller, registry: RegistryFacts, verdicts: Sequence[ScopeVerdict], record_id: str, issuing: Issuing
) -> RefusedToken:
    found = refused(
        caller.subject, verdicts, caller.namespaces, registry.policy(issuing.policy), token=caller.credential.name
    )
    if found.scope.type == "repository" and not caller.degraded:
        found = replace(found, lapsed=_lapsed(caller, registry, found, issuing))
    log.info("token.refused", subject=caller.subject.username, rule=found.decision.rule)
    return RefusedToken(sentence(found), f"{issuing.web_url}/explain/{record_id}")


def _lapsed(caller: Caller, registry: RegistryFacts, found: Refused, issuing: Issuing) -> Sequence[LapsedGrant]:
    # Whoever is refused pays for a second read; a token costs one.
    with issuing.database.read() as connection:
        return find_lapsed_grants(
            connection,
            caller.subject,
            namespace_of(found.scope.name),
            registry_id=registry.id,
            now=issuing.clock(),
        )


def _authenticate(request: TokenRequest, issuing: Issuing) -> Caller:
    shown = Shown(request.credentials, request.address, request.service, request.scopes)
    try:
        caller = _verify(request, issuing)
    except DATABASE_AWAY:
        recalled = issuing.recent.recall(shown)
        if recalled is None:
            raise
        TOKENS_DEGRADED.labels(recalled.credential.kind.value).inc()
        return recalled
    issuing.recent.remember(shown, caller)
    return caller


def _verify(request: TokenRequest, issuing: Issuing) -> Caller:
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
) -> str:
    """Note what a request came to; return the name of its record."""
    now = issuing.clock()
    record_id = new_record_id(now, secrets.token_bytes(ENTROPY_BYTES))
    if verdict is Verdict.LOGIN and caller.subject.kind is SubjectKind.ANONYMOUS:
        # Nobody asked for nothing.
        return record_id
    decided = Decided(
        record_id,
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
    return record_id
