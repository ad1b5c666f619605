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
    name = namespace_of(repository)
    with database.read() as connection:
        facts = find_facts(connection, subject, [name], registry_id=FIRST_REGISTRY_ID, now=clock()).get(name)
    return {action: _decide(subject, action, repository, facts, rules) for action in actions}


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
