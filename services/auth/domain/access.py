"""What a token may hold of the scopes that were asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.decisions import Decision, Policy, decide
from services.auth.domain.namespaces import Namespaces, namespace_of
from services.auth.domain.subjects import Subject
from shared.oci.scopes import InvalidScope, Scope

SUPPORTED_TYPES = ("repository", "registry")


@dataclass(frozen=True, slots=True)
class ScopeVerdict:
    """The decision on each action of one scope."""

    scope: Scope
    decisions: tuple[tuple[str, Decision], ...]
    """(action, decision), in the scope's order."""

    @property
    def granted(self) -> Scope | None:
        """The scope with the allowed actions only, or ``None`` when there are none."""
        actions = tuple(action for action, decision in self.decisions if decision.allowed)
        if not actions:
            return None
        return Scope(self.scope.type, self.scope.name, actions, self.scope.resource_class)


def check_supported(scopes: Sequence[Scope]) -> None:
    """Refuse types of resource that no registry has.

    Raises:
        InvalidScope: names the first one.
    """
    for scope in scopes:
        if scope.type not in SUPPORTED_TYPES:
            raise InvalidScope(f"the scope type {scope.type[:80]!r} is not known: use repository or registry")


def namespaces_of(scopes: Sequence[Scope]) -> frozenset[str]:
    """Return the names of the namespaces that a decision on the scopes needs to know about."""
    return frozenset(namespace_of(scope.name) for scope in scopes if scope.type == "repository")


def decide_scope(subject: Subject, scope: Scope, namespaces: Namespaces, policy: Policy) -> ScopeVerdict:
    """Decide every action of a scope on its own."""
    namespace = namespaces.get(namespace_of(scope.name)) if scope.type == "repository" else None
    decisions = tuple(
        (action, decide(subject, action, scope.type, scope.name, namespace, policy)) for action in scope.actions
    )
    return ScopeVerdict(scope, decisions)
