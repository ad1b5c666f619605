"""What a client is told that got nothing: one sentence with the right that is missing, the caller's role,
and who can help.

The sentence about a namespace in which the caller has no part is the same whether it exists or not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.auth.domain.access import ScopeVerdict
from services.auth.domain.decisions import EVERYTHING, Decision, Policy, Standing, decide, standing_of
from services.auth.domain.discretion import knows
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Namespaces, namespace_of
from services.auth.domain.patterns import matches
from services.auth.domain.records import CHANGES
from services.auth.domain.subjects import Subject, SubjectKind
from shared.oci.scopes import Scope

MAX_REASON_LENGTH = 200
"""Of the reason of a freeze, in a sentence."""


@dataclass(frozen=True, slots=True)
class LapsedGrant:
    """A grant of the caller's that has ended."""

    pattern: str
    actions: frozenset[str]
    ended_at: datetime

    def covered(self, action: str, repository: str) -> bool:
        return action in self.actions and matches(self.pattern, repository)


@dataclass(frozen=True, slots=True)
class Refused:
    """The decision that a refusal is about, and everything that bears on it."""

    subject: Subject
    scope: Scope
    action: str
    decision: Decision
    namespace: NamespaceFacts | None
    lapsed: Sequence[LapsedGrant] = ()
    token: str = ""
    """Name of the application token that was shown."""

    @property
    def place(self) -> str:
        name = namespace_of(self.scope.name)
        return "the global namespace" if name == GLOBAL_NAMESPACE else f"the namespace '{name}'"

    @property
    def lack(self) -> str:
        return f"no right to {_VERBS.get(self.action, self.action)} {self.scope.name}"


def refused(
    subject: Subject,
    verdicts: Sequence[ScopeVerdict],
    namespaces: Namespaces,
    policy: Policy,
    *,
    lapsed: Sequence[LapsedGrant] = (),
    token: str = "",
) -> Refused:
    """Return what a refusal is about: the first push or deletion that was refused, else the first refusal.

    Args:
        verdicts: at least one action was refused.
        policy: the registry's.
        lapsed: the caller's grants that have ended.
        token: name of the application token that was shown.
    """
    verdict, action, decision = min(_refusals(verdicts), key=lambda found: _RANKS.get(found[1], len(_RANKS)))
    scope = verdict.scope
    namespace = namespaces.get(namespace_of(scope.name)) if scope.type == "repository" else None
    if (scope.type, action) == ("repository", "*"):
        action, decision = _lacking(subject, scope.name, namespace, policy)
    return Refused(subject, scope, action, decision, namespace, lapsed, token)


def sentence(refused: Refused) -> str:
    """Return the sentence, without a full stop."""
    if refused.scope.type != "repository":
        return _about_registry(refused)
    narrowing = refused.subject.narrowing
    outside = narrowing is not None and narrowing.namespaces is not None
    if narrowing is not None and outside and namespace_of(refused.scope.name) not in (narrowing.namespaces or ()):
        return f"{refused.lack}: the application token '{refused.token}' does not reach into {refused.place}"
    ended = [grant.ended_at for grant in refused.lapsed if grant.covered(refused.action, refused.scope.name)]
    if ended:
        when = f"your grant of it ended on {max(ended):%Y-%m-%d}"
        return f"{refused.lack}: {when}; whoever gave it to you or an administrator can renew it"
    if not _may_be_told(refused):
        nothing = f"there is no such namespace as '{namespace_of(refused.scope.name)}', or you have no part in it"
        return f"{refused.lack}: {nothing}; an owner of its team or an administrator can give you one"
    return f"{refused.lack}: in {refused.place} {_standing(refused)}; {_why(refused)}"


_VERBS = {"pull": "pull from", "push": "push to", "delete": "delete from"}
_RANKS = {action: rank for rank, action in enumerate(CHANGES)}


def _refusals(verdicts: Sequence[ScopeVerdict]) -> list[tuple[ScopeVerdict, str, Decision]]:
    return [
        (verdict, action, decision)
        for verdict in verdicts
        for action, decision in verdict.decisions
        if not decision.allowed
    ]


def _lacking(
    subject: Subject, repository: str, namespace: NamespaceFacts | None, policy: Policy
) -> tuple[str, Decision]:
    """Return which of the rights that ``*`` takes is missing, deleting first: that is what clients want with it."""
    decisions = [
        (action, decide(subject, action, "repository", repository, namespace, policy))
        for action in reversed(EVERYTHING)
    ]
    return next((action, decision) for action, decision in decisions if not decision.allowed)


def _about_registry(refused: Refused) -> str:
    if refused.decision.rule == "unknown":
        return refused.decision.reason
    if refused.subject.narrowing is not None:
        return f"no right to list the whole registry: the application token '{refused.token}' is for repositories only"
    return "no right to list the whole registry: it takes an administrator or an auditor; ask an administrator"


def _may_be_told(refused: Refused) -> bool:
    # Everybody knows that there is a global namespace.
    is_global = refused.namespace is not None and refused.namespace.name == GLOBAL_NAMESPACE
    return is_global or knows(refused.subject, refused.scope.name, refused.namespace)


def _standing(refused: Refused) -> str:
    standing, namespace = standing_of(refused.subject, refused.namespace), refused.namespace
    if standing in _TITLES:
        return f"you are {_TITLES[standing]}"
    if namespace is None or namespace.is_personal or standing is Standing.ROBOT:
        return "you have no role"
    if standing is Standing.OUTSIDER:
        return f"you have no role in the team '{namespace.team}'"
    return f"you are {_ROLES[standing]} of the team '{namespace.team}'"


_TITLES: Mapping[Standing, str] = {
    Standing.ADMINISTRATOR: "an administrator",
    Standing.AUDITOR: "an auditor, who reads and changes nothing",
    Standing.PERSONAL_OWNER: "the one whose namespace it is",
}
_ROLES: Mapping[Standing, str] = {
    Standing.OWNER: "an owner",
    Standing.CONTRIBUTOR: "a contributor",
    Standing.VIEWER: "a viewer",
}


def _why(refused: Refused) -> str:
    """Say which rule is in the way, and who can help."""
    rule, subject = refused.decision.rule, refused.subject
    if rule == "token.actions":
        return f"the application token '{refused.token}' does not carry it; use one that does"
    if rule == "frozen":
        return f"{_one_line(refused.decision.reason)}; {_givers(refused)} can end that"
    if rule in _BY_POLICY:
        return _BY_POLICY[rule]
    if rule in _ROLES_NEEDED and subject.kind is SubjectKind.PERSON and not _stands_alone(refused):
        return f"it takes {_ROLES_NEEDED[rule]}; {_givers(refused)} can give it to you"
    if rule in _ROLES_NEEDED:
        return f"it takes a grant; {_givers(refused)} can give you one"
    return refused.decision.reason


_BY_POLICY: Mapping[str, str] = {
    "push.allow-personal": (
        "by the push policy people push to their own namespaces only; an administrator can grant it to you"
    ),
    "push.admin-only": "by the push policy only administrators push; an administrator can grant it to you",
    "delete.nobody": "deleting is switched off for everybody; whoever runs Portus can switch it on",
    "unknown-namespace": "there is no such namespace; make it first",
}
_ROLES_NEEDED: Mapping[str, str] = {
    "pull.private": "a viewer",
    "pull.protected": "a viewer",
    "push.allow-teams": "a contributor or an owner",
    "delete.owners": "an owner",
    "delete.contributors": "a contributor or an owner",
}


def _stands_alone(refused: Refused) -> bool:
    """Tell whether there is no team that somebody could be taken into."""
    return refused.namespace is None or refused.namespace.is_personal


def _givers(refused: Refused) -> str:
    namespace = refused.namespace
    if namespace is None or namespace.name == GLOBAL_NAMESPACE or refused.subject.auditor:
        return "an administrator"
    if namespace.is_personal:
        return "the one whose namespace it is or an administrator"
    return f"an owner of the team '{namespace.team}' or an administrator"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON_LENGTH else f"{line[:MAX_REASON_LENGTH].rstrip()} …"
