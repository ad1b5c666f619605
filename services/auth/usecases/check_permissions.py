"""May this subject do these things, to a repository or in a namespace? By the rules that sign tokens and manage."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.auth.domain.decisions import Decision, decide
from services.auth.domain.management import NOWHERE, Operation, Rules, decide_management, namespace_place
from services.auth.domain.namespaces import NamespaceFacts, namespace_of
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import Subject
from services.auth.storage.facts import find_facts
from services.auth.storage.namespaces import find_namespace
from shared.clock import Clock
from shared.database import Database

DESCRIBE = "describe"
"""The one action that no token holds: to change what is written beside the images."""


def check_permissions(
    subject: Subject, repository: str, actions: Collection[str], *, rules: Rules, database: Database, clock: Clock
) -> Mapping[str, Decision]:
    """Decide actions on one repository of the first registry.

    Args:
        repository: full name.
        actions: of a token's scope, or ``describe``; any other is refused.
    """
    (place,) = check_repositories(subject, [repository], actions, rules=rules, database=database, clock=clock)
    return place.decisions


@dataclass(frozen=True, slots=True)
class RepositoryPlace:
    """Where a repository of the first registry lies, and what a subject may do to it."""

    repository: str
    namespace_id: int | None
    """``None``: nobody has made its namespace, or the subject may not pull from the repository."""
    decisions: Mapping[str, Decision]


def check_repositories(
    subject: Subject,
    repositories: Collection[str],
    actions: Collection[str],
    *,
    rules: Rules,
    database: Database,
    clock: Clock,
) -> list[RepositoryPlace]:
    """Decide the same actions on each of some repositories, as on one alone; one read of the database for all."""
    names = {namespace_of(repository) for repository in repositories}
    with database.read() as connection:
        known = find_facts(connection, subject, names, registry_id=FIRST_REGISTRY_ID, now=clock())
    return [_place(subject, one, known.get(namespace_of(one)), actions, rules) for one in repositories]


def _place(
    subject: Subject, repository: str, facts: NamespaceFacts | None, actions: Collection[str], rules: Rules
) -> RepositoryPlace:
    is_seen = facts is not None and _decide(subject, "pull", repository, facts, rules).allowed
    decisions = {action: _decide(subject, action, repository, facts, rules) for action in actions}
    return RepositoryPlace(repository, facts.id if facts and is_seen else None, decisions)


@dataclass(frozen=True, slots=True)
class OperationsAnswer:
    """What a subject may manage in a namespace of the first registry, or in the whole installation."""

    namespace: str | None
    """``None``: of the installation; or there is no such namespace, or the subject sees nothing of it."""
    decisions: Mapping[Operation, Decision]
    team_id: int | None = None
    """Of the team that the namespace belongs to."""


def check_operations(
    subject: Subject,
    namespace_id: int | None,
    operations: Collection[Operation],
    *,
    rules: Rules,
    database: Database,
    clock: Clock,
) -> OperationsAnswer:
    """Decide operations in one namespace, or where no team is in charge.

    Args:
        namespace_id: ``None``: the whole installation.
    """
    if namespace_id is None:
        return OperationsAnswer(None, {one: decide_management(subject, one, NOWHERE, rules) for one in operations})
    with database.read() as connection:
        namespace = find_namespace(connection, subject, namespace_id, now=clock())
    if namespace is None or not namespace.is_catalogued:
        unknown = Decision(False, "namespace.unknown", "there is no such namespace, or you may not see it")
        return OperationsAnswer(None, dict.fromkeys(operations, unknown))
    place, own_rules = namespace.place, namespace.rules(rules)
    decisions = {one: decide_management(subject, one, place, own_rules) for one in operations}
    return OperationsAnswer(namespace.name, decisions, namespace.team.id)


def _decide(subject: Subject, action: str, repository: str, facts: NamespaceFacts | None, rules: Rules) -> Decision:
    if action == DESCRIBE:
        place = namespace_place(facts, is_personal=facts.is_own) if facts else NOWHERE
        return decide_management(subject, Operation.DESCRIBE_REPOSITORY, place, rules)
    return decide(subject, action, "repository", repository, facts, rules.policy)
