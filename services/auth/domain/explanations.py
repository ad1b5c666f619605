"""Why a decision fell, by which paths it could have been allowed, and what would change it.

Nothing here knows the rules. A path is found by asking ``decide`` with everything else left out, a
remedy by asking it with one thing changed: what explains is what decides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.auth.domain.decisions import Decision, DeletePolicy, Policy, PushPolicy, Standing, decide, standing_of
from services.auth.domain.grants import Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.patterns import EVERYTHING
from services.auth.domain.subjects import Subject, SubjectKind
from services.auth.domain.teams import Role


class PathKind(StrEnum):
    """What lets a subject do something."""

    STANDING = "standing"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class Path:
    """One way on which something is allowed; each would do alone."""

    kind: PathKind
    rule: str
    standing: Standing | None = None
    grant_id: int | None = None
    team: str = ""
    """The team whose role or grant it is, where it is one's."""


class Giver(StrEnum):
    """Who can change something."""

    CALLER = "the caller"
    OWNERS = "the owners of the namespace"
    TEAM_OWNERS = "the owners of the team"
    ADMINISTRATORS = "the administrators"
    OPERATOR = "whoever runs Portus"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change after which the answer would be yes, and who can make it."""

    change: str
    """One sentence."""
    givers: tuple[Giver, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, explained."""

    action: str
    decision: Decision
    standing: Standing | None
    """``None`` where nothing may be said of it."""
    paths: tuple[Path, ...]
    """When it is allowed: every way that leads there."""
    remedies: tuple[Remedy, ...]
    """When it is refused: single changes that would do; none when it takes more than one."""


@dataclass(frozen=True, slots=True)
class Question:
    """One action on one repository, and everything that bears on it."""

    subject: Subject
    action: str
    repository: str
    namespace: NamespaceFacts | None
    policy: Policy

    def decide(self) -> Decision:
        return decide(self.subject, self.action, "repository", self.repository, self.namespace, self.policy)


def explain(question: Question) -> Explanation:
    """Explain one decision."""
    decision = question.decide()
    return Explanation(
        question.action,
        decision,
        standing_of(question.subject, question.namespace),
        tuple(paths(question)) if decision.allowed else (),
        () if decision.allowed else tuple(_remedies(question)),
    )


def paths(question: Question) -> Iterator[Path]:
    """Return every way on which the action is allowed, each with everything else left out."""
    namespace = question.namespace
    alone = replace(question, namespace=namespace and replace(namespace, grants=()))
    by_standing = alone.decide()
    if by_standing.allowed:
        team = namespace.team if namespace and namespace.role else ""
        yield Path(PathKind.STANDING, by_standing.rule, standing_of(question.subject, namespace), team=team)
    for grant in namespace.grants if namespace else ():
        if replace(question, namespace=_only(namespace, grant)).decide().rule == "grant":
            yield Path(PathKind.GRANT, "grant", grant_id=grant.id, team=grant.through)


def _only(namespace: NamespaceFacts | None, grant: Grant) -> NamespaceFacts | None:
    # Without a role, so that nothing but the grant can allow; what is public stays so and is no grant's doing.
    return namespace and replace(namespace, role=None, is_own=False, grants=(grant,))


def _remedies(question: Question) -> Iterator[Remedy]:
    for change in _CHANGES:
        for changed, remedy in change(question):
            if changed.decide().allowed:
                yield remedy
                break


_Change = Callable[[Question], Iterator[tuple[Question, Remedy]]]
"""Variations of a question, the smallest first."""


def _other_token(question: Question) -> Iterator[tuple[Question, Remedy]]:
    if question.subject.narrowing is not None:
        wide = replace(question, subject=replace(question.subject, narrowing=None))
        yield wide, Remedy("Use an application token that is not narrowed to less than this.", (Giver.CALLER,))


def _sign_in(question: Question) -> Iterator[tuple[Question, Remedy]]:
    if question.subject.kind is SubjectKind.ANONYMOUS:
        somebody = replace(question, subject=Subject(SubjectKind.PERSON, "somebody", user_id=0))
        yield somebody, Remedy("Log in.", (Giver.CALLER,))


def _thaw(question: Question) -> Iterator[tuple[Question, Remedy]]:
    namespace = question.namespace
    if namespace is not None and namespace.freezes:
        thawed = replace(question, namespace=replace(namespace, freezes=()))
        yield thawed, Remedy("End the freeze.", (Giver.OWNERS, Giver.ADMINISTRATORS))


def _higher_role(question: Question) -> Iterator[tuple[Question, Remedy]]:
    namespace, subject = question.namespace, question.subject
    # Nobody is taken into the hidden team behind a person, and only people are in teams.
    if namespace is None or namespace.is_personal or subject.kind is not SubjectKind.PERSON:
        return
    for role in Role:
        raised = replace(question, namespace=replace(namespace, role=role))
        change = f"Become {_with_article(role)} of the team {namespace.team!r}."
        yield raised, Remedy(change, (Giver.TEAM_OWNERS, Giver.ADMINISTRATORS))


def _with_article(role: Role) -> str:
    return f"an {role}" if role is Role.OWNER else f"a {role}"


def _grant(question: Question) -> Iterator[tuple[Question, Remedy]]:
    namespace, subject = question.namespace, question.subject
    if namespace is None or subject.kind not in (SubjectKind.PERSON, SubjectKind.ROBOT):
        return
    change = f"Get a grant of {question.action} on {question.repository}."
    actions = frozenset({"pull", "push", "delete"}) if question.action == "*" else frozenset({question.action})
    for from_administrator in (False, True):
        more = (*namespace.grants, Grant(0, EVERYTHING, actions, from_administrator=from_administrator))
        granted = replace(question, namespace=replace(namespace, grants=more))
        owners = () if from_administrator else (Giver.OWNERS,)
        yield granted, Remedy(change, (*owners, Giver.ADMINISTRATORS))


def _more_visible(question: Question) -> Iterator[tuple[Question, Remedy]]:
    namespace = question.namespace
    for visibility in (Visibility.PROTECTED, Visibility.PUBLIC) if namespace else ():
        opened = replace(question, namespace=namespace and replace(namespace, visibility=visibility))
        change = f"Make the namespace {visibility}."
        yield opened, Remedy(change, (Giver.OWNERS, Giver.ADMINISTRATORS))


def _wider_policy(question: Question) -> Iterator[tuple[Question, Remedy]]:
    policy = question.policy
    for push in PushPolicy:
        if push is not policy.push:
            change = f"Set the push policy to {push} (PORTUS_PUSH_POLICY)."
            yield replace(question, policy=replace(policy, push=push)), Remedy(change, (Giver.OPERATOR,))
    for delete, how in (
        (DeletePolicy.OWNERS, "Switch deleting on (PORTUS_DELETE_ENABLED)."),
        (DeletePolicy.CONTRIBUTORS, "Let contributors delete (PORTUS_DELETE_CONTRIBUTORS)."),
    ):
        if delete is not policy.delete:
            yield replace(question, policy=replace(policy, delete=delete)), Remedy(how, (Giver.OPERATOR,))


_CHANGES: Sequence[_Change] = (
    _other_token,
    _sign_in,
    _thaw,
    _higher_role,
    _grant,
    _more_visible,
    _wider_policy,
)
