"""Why may somebody do something, or why not; and what would a token hold?

About oneself anybody may ask. Whoever asks about others must be an administrator or an auditor, or
manage the namespace in question.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from services.auth.domain.access import ScopeVerdict, decide_scope, namespaces_of
from services.auth.domain.decisions import Policy
from services.auth.domain.discretion import blurred, knows, may_inquire
from services.auth.domain.errors import Forbidden, NotFound
from services.auth.domain.explanations import Explanation, Question, explain
from services.auth.domain.namespaces import NamespaceFacts, Namespaces, namespace_of
from services.auth.domain.registries import RegistryFacts
from services.auth.domain.subjects import ANONYMOUS, Subject
from services.auth.storage.facts import find_facts
from services.auth.storage.registries import find_registry_facts
from services.auth.storage.subjects import find_subject, list_administrator_names, list_owner_names
from shared.clock import Clock
from shared.database import Database
from shared.oci.scopes import Scope

MAX_HELPERS = 10
"""Most names of people who can help, in one answer."""

_OTHERS = "Only administrators, auditors and those who manage the namespace may ask what others can do in it."


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What every question about rights needs."""

    database: Database
    clock: Clock
    policy: Policy
    """The installation's."""
    first_service: str
    """The service name that the environment gives the first registry."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An answer to "why?"."""

    subject: Subject
    repository: str
    namespace: NamespaceFacts | None
    """``None`` also when the asker may not know of it."""
    explanations: tuple[Explanation, ...]
    owners: tuple[str, ...] = ()
    """Usernames of owners of the namespace's team, who can help."""
    administrators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a token would hold."""

    subject: Subject
    verdicts: tuple[ScopeVerdict, ...]

    @property
    def granted(self) -> tuple[Scope, ...]:
        return tuple(verdict.granted for verdict in self.verdicts if verdict.granted)


def explain_access(
    subject: Subject,
    *,
    username: str | None,
    repository: str,
    actions: Collection[str],
    service: str | None,
    inquiry: Inquiry,
) -> Explained:
    """Explain actions on one repository.

    Args:
        username: whom it is about; ``None``: the asker, empty: an anonymous caller.
        service: a registry's; ``None``: the first one.

    Raises:
        Forbidden: the asker may not ask about others here.
        NotFound: there is no such user, robot or registry.
    """
    with inquiry.database.read() as connection:
        registry = find_registry_facts(connection, service, first_service=inquiry.first_service)
        names = [namespace_of(repository)]
        own = _facts(connection, subject, names, registry, inquiry)
        about = _about(connection, subject, username, own)
        namespace = _facts(connection, about, names, registry, inquiry).get(names[0])
        policy = registry.policy(inquiry.policy)
        explanations = [explain(Question(about, action, repository, namespace, policy)) for action in actions]
        administrators = tuple(list_administrator_names(connection, limit=MAX_HELPERS))
        if not knows(subject, repository, own.get(names[0])):
            return Explained(about, repository, None, tuple(map(_blurred, explanations)), (), administrators)
        owners = list_owner_names(connection, namespace.team_id, limit=MAX_HELPERS) if namespace else ()
    return Explained(about, repository, namespace, tuple(explanations), tuple(owners), administrators)


def simulate_token(
    subject: Subject, *, username: str | None, scopes: Sequence[Scope], service: str | None, inquiry: Inquiry
) -> Simulated:
    """Say what a token for the scopes would hold.

    Args:
        username, service: see ``explain_access``.

    Raises:
        Forbidden: the asker may not ask about others in each of the namespaces.
        NotFound: there is no such user, robot or registry.
    """
    with inquiry.database.read() as connection:
        registry = find_registry_facts(connection, service, first_service=inquiry.first_service)
        names = sorted(namespaces_of(scopes))
        own = _facts(connection, subject, names, registry, inquiry)
        about = _about(connection, subject, username, own)
        facts = _facts(connection, about, names, registry, inquiry)
    policy = registry.policy(inquiry.policy)
    verdicts = (decide_scope(about, scope, facts, policy) for scope in scopes)
    return Simulated(about, tuple(_discreet(verdict, subject, own) for verdict in verdicts))


def _about(connection: Connection, subject: Subject, username: str | None, own: Namespaces) -> Subject:
    """Return whom a question is about."""
    if username is None or username == subject.username:
        return subject
    # About anonymous callers everybody may ask: they could try.
    if username == "":
        return ANONYMOUS
    if not (may_inquire(subject, None) or (own and all(may_inquire(subject, facts) for facts in own.values()))):
        raise Forbidden(_OTHERS)
    found = find_subject(connection, username)
    if found is None:
        raise NotFound("user or robot")
    return found


def _facts(
    connection: Connection, subject: Subject, names: Collection[str], registry: RegistryFacts, inquiry: Inquiry
) -> Namespaces:
    return find_facts(connection, subject, names, registry_id=registry.id, now=inquiry.clock())


def _blurred(explanation: Explanation) -> Explanation:
    decision = blurred(explanation.decision, explanation.action)
    return replace(explanation, decision=decision, standing=None, remedies=())


def _discreet(verdict: ScopeVerdict, subject: Subject, own: Namespaces) -> ScopeVerdict:
    scope = verdict.scope
    if scope.type != "repository" or knows(subject, scope.name, own.get(namespace_of(scope.name))):
        return verdict
    decisions = tuple((action, blurred(decision, action)) for action, decision in verdict.decisions)
    return replace(verdict, decisions=decisions)
