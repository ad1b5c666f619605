"""Grants: named actions on a repository pattern, given to a person, a team or a robot.

A role in the owning team comes first; a grant adds to it and takes nothing away.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from services.auth.domain.errors import Invalid
from services.auth.domain.patterns import matches

MAX_ROLE_NAME_LENGTH = 64
MAX_REASON_LENGTH = 1000


class Action(StrEnum):
    """What can be done to a repository."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


class GranteeKind(StrEnum):
    USER = "user"
    TEAM = "team"
    ROBOT = "robot"


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant that the caller has, personally or through a team, as far as a decision needs it.

    Whoever reads it has seen to it that it has not expired and that it holds in the namespace.
    """

    id: int
    pattern: str
    actions: frozenset[str]
    through: str = ""
    """What carries it: empty for a grant of the caller's own, else a team's name."""
    from_administrator: bool = False

    def covers(self, action: str, repository: str) -> bool:
        return action in self.actions and matches(self.pattern, repository)


@dataclass(frozen=True, slots=True)
class Freeze:
    """No push, for the reason that is shown."""

    reason: str
    repository: str = ""
    """Full name of one repository; empty: the whole namespace."""
    created_by: str = ""

    def covers(self, repository: str) -> bool:
        return self.repository in ("", repository)


def load_actions(text: str) -> frozenset[str]:
    """Read actions as they are stored: separated by commas."""
    return frozenset(filter(None, text.split(",")))


def dump_actions(actions: Collection[str]) -> str:
    """Write actions as they are stored: sorted, so that the same set is the same text."""
    return ",".join(sorted(map(str, actions)))


def check_actions(actions: Collection[str]) -> None:
    """Check the actions of a grant, a role or a token.

    Raises:
        Invalid: none, or one that cannot be granted.
    """
    unknown = sorted(set(actions) - set(Action))
    if unknown or not actions:
        raise Invalid({"actions": [f"must name at least one of {', '.join(Action)}, and nothing else"]})
