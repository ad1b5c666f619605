"""Custom roles, named sets of actions for grants; and what the built-in roles of a team come to."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.auth.domain.decisions import DeletePolicy, Policy, decide
from services.auth.domain.errors import Invalid
from services.auth.domain.grants import Action
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import person
from services.auth.domain.teams import Role

MAX_ROLE_NAME_LENGTH = 64
MAX_ROLES = 200
"""Most custom roles of an installation."""
MAX_REVOKED_WITH_ROLE = 1000
"""Most grants that may be revoked together with their role."""

BUILT_IN: Mapping[Role, str] = {
    Role.VIEWER: "Of a team: pulls from its namespaces.",
    Role.CONTRIBUTOR: "Of a team: pushes to its namespaces, too.",
    Role.OWNER: "Of a team: manages it and its namespaces, too, and deletes where deleting is switched on.",
}
"""Descriptions of the roles that people have in teams."""


@dataclass(frozen=True, slots=True)
class NewRole:
    """A custom role that somebody wants to make."""

    name: str
    actions: frozenset[str]
    description: str = ""


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What is to be different about a role; ``None`` leaves it as it is."""

    name: str | None = None
    actions: frozenset[str] | None = None
    description: str | None = None


def actions_of(role: Role) -> frozenset[str]:
    """Return what a built-in role lets its holders do, found by asking the rule that decides."""
    namespace = NamespaceFacts("x", Visibility.PRIVATE, role)
    policy = Policy(delete=DeletePolicy.OWNERS)
    holder = person(0, "x")
    return frozenset(
        action for action in Action if decide(holder, action, "repository", "x/y", namespace, policy).allowed
    )


def check_role_name(name: str) -> None:
    """Check the name of a custom role.

    Raises:
        Invalid: it is empty, too long, or a built-in role's.
    """
    if not 1 <= len(name) <= MAX_ROLE_NAME_LENGTH:
        raise Invalid({"name": [f"must have 1 to {MAX_ROLE_NAME_LENGTH} characters"]})
    if name.lower() in set(Role):
        raise Invalid({"name": ["is the name of a built-in role"]})
