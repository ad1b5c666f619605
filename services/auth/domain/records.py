"""Records of decisions: what a token request came to, and what of that is told to whom."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from services.auth.domain.access import ScopeVerdict
from services.auth.domain.decisions import Decision
from services.auth.domain.discretion import blurred, knows
from services.auth.domain.namespaces import Namespaces, namespace_of
from services.auth.domain.subjects import Subject
from shared.oci.scopes import Scope

ENTROPY_BYTES = 10
_TIME_DIGITS = 12
_ID = re.compile(rf"[0-9a-f]{{{_TIME_DIGITS + 2 * ENTROPY_BYTES}}}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CHANGES = ("delete", "*", "push")
"""The actions that change something, the strongest first."""


class Verdict(StrEnum):
    """What a token request came to."""

    GRANTED = "granted"
    PARTIAL = "partial"
    """Something was granted, and less than was asked."""
    REFUSED = "refused"
    """Something was asked and nothing granted; or a push or deletion was asked and none granted."""
    LOGIN = "login"
    """Nothing was asked but whether the credential is good, and it is."""
    UNAUTHENTICATED = "unauthenticated"
    """The credential of somebody who is known is not good."""


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """The decision on one action."""

    action: str
    allowed: bool
    rule: str
    reason: str
    grant_id: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedScope:
    """The decisions on one scope."""

    type: str
    name: str
    resource_class: str | None
    known: bool
    """Whether the subject may be told about the namespace."""
    actions: tuple[RecordedAction, ...]


def new_record_id(now: datetime, entropy: bytes) -> str:
    """Return a name for a record: milliseconds and chance, so that it also says where the record lies.

    Args:
        entropy: 10 random bytes.
    """
    return f"{int(now.timestamp() * 1000):0{_TIME_DIGITS}x}{entropy.hex()}"


def moment_of(record_id: str) -> datetime | None:
    """Return the millisecond in which a record of that name was made; ``None`` when it can be no name of one."""
    if not _ID.fullmatch(record_id):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(record_id[:_TIME_DIGITS], 16))
    except OverflowError:
        return None


def judge(verdicts: Sequence[ScopeVerdict]) -> Verdict:
    """Return what the decisions on the scopes of a request come to."""
    decisions = [(action, decision.allowed) for verdict in verdicts for action, decision in verdict.decisions]
    if not decisions:
        return Verdict.LOGIN
    changes = [allowed for action, allowed in decisions if action in CHANGES]
    if not any(allowed for _action, allowed in decisions) or (changes and not any(changes)):
        return Verdict.REFUSED
    return Verdict.GRANTED if all(allowed for _action, allowed in decisions) else Verdict.PARTIAL


def leading_action(scope: Scope) -> str:
    """Return the action for whose sake a scope was asked: who pushes asks ``pull`` along with it."""
    return next((action for action in CHANGES if action in scope.actions), scope.actions[0] if scope.actions else "")


def leading_scope(scopes: Sequence[Scope]) -> Scope | None:
    """Return the scope for whose sake a token was asked: who mounts layers asks for their source along with it."""
    if len(scopes) < 2:
        return scopes[0] if scopes else None
    return max(scopes, key=lambda scope: _STRENGTHS.get(leading_action(scope), 0))


_STRENGTHS = {action: strength for strength, action in enumerate(reversed(CHANGES), start=1)}


def dump_scope(subject: Subject, verdict: ScopeVerdict, namespaces: Namespaces) -> dict[str, Any]:
    """Write the decisions on a scope as JSON has them."""
    scope = verdict.scope
    return {
        "type": scope.type,
        "name": scope.name,
        "class": scope.resource_class,
        "known": _is_known(subject, verdict, namespaces),
        "actions": [
            [action, decision.allowed, decision.rule, decision.reason, decision.grant_id]
            for action, decision in verdict.decisions
        ],
    }


def load_scope(stored: Mapping[str, Any]) -> RecordedScope:
    """Read a scope that ``dump_scope`` wrote."""
    actions = tuple(RecordedAction(*values) for values in stored["actions"])
    return RecordedScope(stored["type"], stored["name"], stored["class"], stored["known"], actions)


def told_to_subject(scope: RecordedScope) -> RecordedScope:
    """Return what the subject of a record is told: nothing of a namespace in which they have no part."""
    return scope if scope.known else replace(scope, actions=tuple(map(_blur, scope.actions)))


def _is_known(subject: Subject, verdict: ScopeVerdict, namespaces: Namespaces) -> bool:
    scope = verdict.scope
    if scope.type != "repository" or verdict.granted:
        return True
    # The person reads it later, and not with the credential that was narrowed.
    reader = replace(subject, narrowing=None) if subject.narrowing else subject
    return knows(reader, scope.name, namespaces.get(namespace_of(scope.name)))


def _blur(action: RecordedAction) -> RecordedAction:
    told = blurred(Decision(action.allowed, action.rule, action.reason, action.grant_id), action.action)
    return RecordedAction(action.action, told.allowed, told.rule, told.reason, told.grant_id)
