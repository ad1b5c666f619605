"""May this subject do this action on this resource? One table, one answer, with its reason.

The tables name who may; whoever is not named may not. Every action is decided by itself: what else
was asked together with it never matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.auth.domain.grants import Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility, namespace_of
from services.auth.domain.subjects import RobotHome, Subject, SubjectKind
from services.auth.domain.teams import Role

EVERYTHING = ("pull", "push", "delete")
"""What a registry reads into the action ``*``. Source: distribution, registry/auth/token."""


class PushPolicy(StrEnum):
    """Who may push at all; set for the whole installation."""

    ALLOW_TEAMS = "allow-teams"
    ALLOW_PERSONAL = "allow-personal"
    ADMIN_ONLY = "admin-only"


class DeletePolicy(StrEnum):
    """Who may delete at all; set for the whole installation."""

    NOBODY = "nobody"
    OWNERS = "owners"
    CONTRIBUTORS = "contributors"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the administrators of this installation have settled."""

    push: PushPolicy = PushPolicy.ALLOW_TEAMS
    delete: DeletePolicy = DeletePolicy.NOBODY


class Standing(StrEnum):
    """What a subject is with regard to a namespace: the rows of every table."""

    INTERNAL = "the internal account"
    ADMINISTRATOR = "an administrator"
    AUDITOR = "an auditor"
    PERSONAL_OWNER = "the person whose namespace it is"
    OWNER = "an owner of the team"
    CONTRIBUTOR = "a contributor of the team"
    VIEWER = "a viewer of the team"
    OUTSIDER = "somebody outside the team"
    ROBOT = "a robot"
    ANONYMOUS = "an anonymous caller"


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and why."""

    allowed: bool
    rule: str
    """Name of the row that decided."""
    reason: str
    """One sentence for a person."""
    grant_id: int | None = None
    """The grant that decided."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a decision table."""

    rule: str
    allowed: frozenset[Standing]
    refusal: str


_PORTUS = frozenset({Standing.INTERNAL, Standing.ADMINISTRATOR})
_READERS = _PORTUS | {Standing.AUDITOR}
_OWNERS = _PORTUS | {Standing.PERSONAL_OWNER, Standing.OWNER}
_CONTRIBUTORS = _OWNERS | {Standing.CONTRIBUTOR}
_MEMBERS = _CONTRIBUTORS | {Standing.VIEWER, Standing.AUDITOR}
_SIGNED_IN = _MEMBERS | {Standing.OUTSIDER}
# A robot has what everybody has, and what it was granted: nothing more by default.
_EVERYBODY = _SIGNED_IN | {Standing.ROBOT, Standing.ANONYMOUS}

_PULL: Mapping[Visibility, Row] = {
    Visibility.PUBLIC: Row("pull.public", _EVERYBODY, "nobody is refused"),
    Visibility.PROTECTED: Row("pull.protected", _SIGNED_IN, "only people who have signed in may pull from it"),
    Visibility.PRIVATE: Row("pull.private", _MEMBERS, "only members of its team may pull from it"),
}

_PUSH: Mapping[PushPolicy, Row] = {
    PushPolicy.ALLOW_TEAMS: Row(
        "push.allow-teams", _CONTRIBUTORS, "only contributors and owners of its team may push to it"
    ),
    PushPolicy.ALLOW_PERSONAL: Row(
        "push.allow-personal", _PORTUS | {Standing.PERSONAL_OWNER}, "people may only push to their own namespace here"
    ),
    PushPolicy.ADMIN_ONLY: Row("push.admin-only", _PORTUS, "only administrators may push here"),
}

_DELETE: Mapping[DeletePolicy, Row] = {
    DeletePolicy.NOBODY: Row("delete.nobody", frozenset(), "deleting is switched off here"),
    DeletePolicy.OWNERS: Row("delete.owners", _OWNERS, "only owners of its team may delete from it"),
    DeletePolicy.CONTRIBUTORS: Row(
        "delete.contributors", _CONTRIBUTORS, "only contributors and owners of its team may delete from it"
    ),
}

_CATALOG = Row("catalog", _READERS, "only administrators and auditors may list the whole registry")

_STANDING_OF_ROLE = {
    Role.VIEWER: Standing.VIEWER,
    Role.CONTRIBUTOR: Standing.CONTRIBUTOR,
    Role.OWNER: Standing.OWNER,
}


def decide(
    subject: Subject, action: str, resource_type: str, name: str, namespace: NamespaceFacts | None, policy: Policy
) -> Decision:
    """Decide one action on one resource.

    Args:
        action: ``pull``, ``push``, ``delete`` or ``*``; any other is refused.
        resource_type: ``repository`` or ``registry``.
        name: the resource's name: a repository, or ``catalog``.
        namespace: facts on the namespace of the repository; ``None`` when Portus does not know it,
            and for a registry.
    """
    if (resource_type, action) == ("repository", "*"):
        return _decide_everything(subject, name, namespace, policy)
    row = _row(action, resource_type, name, namespace, policy)
    if row is None:
        return Decision(False, "unknown", f"{action!r} on {resource_type} {name[:80]!r} is nothing that can be granted")
    if namespace is None and resource_type == "repository":
        row = Row("unknown-namespace", row.allowed & _READERS, "Portus knows no such namespace")
    decision = _decide_by_standing(standing_of(subject, namespace), row)
    if not decision.allowed and namespace is not None:
        decision = _decide_by_grant(subject, action, name, namespace, policy) or decision
    # What takes a right away is asked last: whoever has no right learns nothing of a freeze.
    return (_veto(subject, action, resource_type, name, namespace) or decision) if decision.allowed else decision


def _decide_by_standing(standing: Standing, row: Row) -> Decision:
    allowed = standing in row.allowed
    return Decision(allowed, row.rule, f"{standing} may" if allowed else f"{standing} may not: {row.refusal}")


def _decide_by_grant(
    subject: Subject, action: str, name: str, namespace: NamespaceFacts, policy: Policy
) -> Decision | None:
    for grant in namespace.grants:
        if grant.covers(action, name) and _counts(grant, subject, action, namespace, policy):
            through = f"a grant to the team {grant.through}" if grant.through else "a grant"
            return Decision(True, "grant", f"{through} says so", grant.id)
    return None


def _counts(grant: Grant, subject: Subject, action: str, namespace: NamespaceFacts, policy: Policy) -> bool:
    """Tell whether a grant that covers the action may allow it here."""
    if why_void(action, from_administrator=grant.from_administrator, to_auditor=subject.auditor, policy=policy):
        return False
    return subject.home is None or is_at_home(subject.home, namespace)


def why_void(action: str, *, from_administrator: bool, to_auditor: bool, policy: Policy) -> str | None:
    """Return why a grant of an action allows nothing under a policy, in one sentence; ``None`` when it counts."""
    if to_auditor:
        return "an auditor pulls without it, and changes nothing with it"
    if action == "delete" and policy.delete is DeletePolicy.NOBODY:
        return "deleting is switched off here"
    # Where owners may not push by themselves, they cannot let others push either.
    if action == "push" and policy.push is not PushPolicy.ALLOW_TEAMS and not from_administrator:
        return "only administrators let others push here"
    return None


def is_at_home(home: RobotHome, namespace: NamespaceFacts) -> bool:
    """Tell whether a namespace lies in what a robot belongs to."""
    return home.namespace_id in (None, namespace.id) and home.team_id in (None, namespace.team_id)


def _veto(
    subject: Subject, action: str, resource_type: str, name: str, namespace: NamespaceFacts | None
) -> Decision | None:
    """Return what takes away a right that the subject has."""
    narrowing = subject.narrowing
    if narrowing is not None and resource_type != "repository":
        return Decision(False, "token.narrowed", "the application token is narrowed to repositories")
    if narrowing is not None and narrowing.actions is not None and action not in narrowing.actions:
        return Decision(False, "token.actions", f"the application token does not carry the right to {action}")
    if narrowing is not None and narrowing.namespaces is not None and namespace_of(name) not in narrowing.namespaces:
        return Decision(False, "token.namespaces", "the application token does not reach into this namespace")
    return _frozen(subject, action, name, namespace)


def _frozen(subject: Subject, action: str, name: str, namespace: NamespaceFacts | None) -> Decision | None:
    # Portus itself still may: it pushes only to take a tag away, and has asked for the person before.
    if action != "push" or namespace is None or subject.kind is SubjectKind.INTERNAL:
        return None
    freeze = next((freeze for freeze in namespace.freezes if freeze.covers(name)), None)
    if freeze is None:
        return None
    what = "the repository" if freeze.repository else "the namespace"
    return Decision(False, "frozen", f"{what} is frozen: {freeze.reason}")


def _decide_everything(subject: Subject, name: str, namespace: NamespaceFacts | None, policy: Policy) -> Decision:
    # A registry lets `*` stand for each of the three, so it is given only to whoever has them all.
    decisions = [decide(subject, action, "repository", name, namespace, policy) for action in EVERYTHING]
    return next((decision for decision in decisions if not decision.allowed), decisions[-1])


def standing_of(subject: Subject, namespace: NamespaceFacts | None) -> Standing:
    """Return what the subject is with regard to the namespace."""
    if namespace is None:
        return standing_with_role(subject, None)
    return standing_with_role(subject, namespace.role, is_own=namespace.is_own)


def standing_with_role(subject: Subject, role: Role | None, *, is_own: bool = False) -> Standing:
    """Return what the subject is with regard to a team.

    Args:
        role: the subject's own in that team.
        is_own: whether it is about the subject's personal namespace.
    """
    if subject.kind is SubjectKind.INTERNAL:
        return Standing.INTERNAL
    if subject.kind is SubjectKind.ANONYMOUS:
        return Standing.ANONYMOUS
    if subject.kind is SubjectKind.ROBOT:
        return Standing.ROBOT
    if subject.administrator:
        return Standing.ADMINISTRATOR
    if subject.auditor:
        return Standing.AUDITOR
    if role is None:
        return Standing.OUTSIDER
    if role is Role.OWNER and is_own:
        return Standing.PERSONAL_OWNER
    return _STANDING_OF_ROLE[role]


def _row(action: str, resource_type: str, name: str, namespace: NamespaceFacts | None, policy: Policy) -> Row | None:
    if resource_type == "registry":
        return _CATALOG if (name, action) == ("catalog", "*") else None
    if resource_type != "repository":
        return None
    if action == "pull":
        return _PULL[namespace.visibility if namespace else Visibility.PRIVATE]
    if action == "push":
        return _PUSH[policy.push]
    return _DELETE[policy.delete] if action == "delete" else None
