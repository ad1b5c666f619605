"""May this subject do these things to a repository? Answered by the rules that sign tokens and manage."""

from collections.abc import Collection, Mapping

from services.auth.domain.decisions import Decision, decide
from services.auth.domain.management import NOWHERE, Operation, Rules, decide_management, namespace_place
from services.auth.domain.namespaces import NamespaceFacts, namespace_of
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import Subject
from services.auth.storage.facts import find_facts
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


def _decide(subject: Subject, action: str, repository: str, facts: NamespaceFacts | None, rules: Rules) -> Decision:
    if action == DESCRIBE:
        place = namespace_place(facts, is_personal=facts.is_own) if facts else NOWHERE
        return decide_management(subject, Operation.DESCRIBE_REPOSITORY, place, rules)
    return decide(subject, action, "repository", repository, facts, rules.policy)
