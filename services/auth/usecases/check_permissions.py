"""May this subject do these things to a repository? Answered by the rule that signs tokens."""

from collections.abc import Collection, Mapping

from services.auth.domain.decisions import Decision, Policy, decide
from services.auth.domain.namespaces import namespace_of
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import Subject
from services.auth.storage.facts import find_facts
from shared.clock import Clock
from shared.database import Database


def check_permissions(
    subject: Subject, repository: str, actions: Collection[str], *, policy: Policy, database: Database, clock: Clock
) -> Mapping[str, Decision]:
    """Decide actions on one repository of the first registry.

    Args:
        repository: full name.
        actions: of a token's scope; what cannot be granted is refused.
    """
    name = namespace_of(repository)
    with database.read() as connection:
        facts = find_facts(connection, subject, [name], registry_id=FIRST_REGISTRY_ID, now=clock())
    return {action: decide(subject, action, "repository", repository, facts.get(name), policy) for action in actions}
