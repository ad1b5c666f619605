"""Tell ``catalog`` of tokens that allow to change a repository.

A push that it never hears of may be a lost event; and where events were lost, only what somebody had such a token
for can have changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection

from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import SubjectKind
from services.auth.storage.tables import outbox
from services.auth.usecases.decision_log import Decided
from services.auth.usecases.messages import SOURCE
from shared.contracts.events import TokenPushGranted, envelope_of
from shared.messaging.outbox import record_events

_PUSHES = frozenset({"push", "*"})
_CHANGES = _PUSHES | {"delete"}


@dataclass(frozen=True, slots=True)
class _Granted:
    """One token that allows to change one repository."""

    repository: str
    actor: str
    pushes: bool
    """Whether it allows a push; else only to delete."""
    at: datetime
    ttl_s: int


def record_push_grants(connection: Connection, noted: Iterable[Decided], *, token_ttl_s: int, now: datetime) -> None:
    """Record an event for each actor and repository of a batch, inside the caller's transaction.

    Tokens that only allow to delete have one of their own: nobody waits for a push with them.

    Args:
        token_ttl_s: life of a token where its registry has none of its own.
    """
    granted = [one for decided in noted for one in _granted(decided, token_ttl_s)]
    groups: dict[tuple[str, str, bool], list[_Granted]] = {}
    for one in granted:
        groups.setdefault((one.repository, one.actor, one.pushes), []).append(one)
    record_events(
        connection,
        outbox,
        (
            envelope_of(_event(tokens), id=uuid4().hex, source=SOURCE, time=now, subject=repository)
            for (repository, *_), tokens in groups.items()
        ),
    )


def _granted(decided: Decided, token_ttl_s: int) -> Iterator[_Granted]:
    registry, subject = decided.caller.registry, decided.caller.subject
    # Catalog follows the first registry; of the others it would wait for pushes that never reach it.
    if registry is None or registry.id != FIRST_REGISTRY_ID:
        return
    # Portus itself asks for more than it uses, and knows what it has pushed.
    if subject.kind is SubjectKind.INTERNAL:
        return
    ttl_s = registry.token_ttl_s or token_ttl_s
    for verdict in decided.verdicts:
        scope = verdict.granted
        actions = set(scope.actions) if scope and scope.type == "repository" else set[str]()
        if scope and actions & _CHANGES:
            yield _Granted(scope.name, subject.username, bool(actions & _PUSHES), decided.at, ttl_s)


def _event(tokens: Sequence[_Granted]) -> TokenPushGranted:
    first = min(one.at for one in tokens)
    last = max(one.at + timedelta(seconds=one.ttl_s) for one in tokens)
    return TokenPushGranted(
        repository=tokens[0].repository,
        actor=tokens[0].actor,
        issued_at=first.isoformat(),
        expires_at=last.isoformat(),
        tokens=len(tokens),
        pushes=tokens[0].pushes,
    )
