"""Grants: named actions on a repository pattern, given to a person, a team or a robot.

A role in the owning team comes first; a grant adds to it and takes nothing away.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.auth.domain.errors import Invalid
from services.auth.domain.lifetimes import FOR_EVER, Lifetime
from services.auth.domain.patterns import contains, matches

MAX_REASON_LENGTH = 1000
MAX_GRANTS_OF_NAMESPACE = 500
"""Most grants that hold in one namespace only, those that have expired included until they are deleted."""
MAX_GRANTS_OF_GRANTEE = 500
"""Most grants of one person, team or robot, counted alike."""


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
class Grantee:
    """Who is to get a grant, by the name that people and robots log in with or that a team has."""

    kind: GranteeKind
    name: str


@dataclass(frozen=True, slots=True)
class Gift:
    """What a grant gives: actions, or a custom role by its name."""

    actions: frozenset[str] | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant gives, on what, until when and why."""

    gift: Gift
    pattern: str | None = None
    """``None``: everything in the namespace."""
    lifetime: Lifetime = FOR_EVER
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant that somebody wants to give."""

    grantee: Grantee
    terms: Terms
    namespace_id: int | None = None
    """``None``: it holds in many."""
    registry: str | None = None
    """Without a namespace: name of the one registry in which it holds; ``None``: in all."""


@dataclass(frozen=True, slots=True)
class GrantChange:
    """What is to be different about a grant; ``None`` leaves it as it is."""

    gift: Gift | None = None
    lifetime: Lifetime | None = None
    reason: str | None = None

    @property
    def gives_anew(self) -> bool:
        """Whether it changes what is allowed, or until when."""
        return self.gift is not None or self.lifetime is not None


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a grant reaches."""

    pattern: str
    actions: frozenset[str]
    expires_at: datetime | None
    from_administrator: bool

    def includes(self, other: "Extent") -> bool:
        """Tell whether another grant, of the same grantee at the same place, would add nothing."""
        lasts = self.expires_at is None or (other.expires_at is not None and other.expires_at <= self.expires_at)
        counts = self.from_administrator or not other.from_administrator
        return contains(self.pattern, other.pattern) and self.actions >= other.actions and lasts and counts


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


def check_gift(gift: Gift) -> None:
    """Check what a grant gives, as far as it names actions.

    Raises:
        Invalid: it names neither actions nor a role, or both, or what cannot be granted.
    """
    if (gift.actions is None) == (gift.role is None):
        raise Invalid({"actions": ["name either actions or a custom role"]})
    if gift.actions is not None:
        check_actions(gift.actions)


def check_room(existing: Iterable[tuple[int, Extent]], wanted: Extent) -> None:
    """Refuse a grant that is there already.

    Args:
        existing: (id, extent) of the same grantee's grants at the same place that have not expired.

    Raises:
        Invalid: names the one that is there.
    """
    for id, extent in existing:
        if extent.pattern == wanted.pattern:
            raise Invalid({"pattern": [f"grant {id} is on the same pattern for the same grantee: change that one"]})
        if extent.includes(wanted):
            raise Invalid({"pattern": [f"grant {id}, on {extent.pattern}, gives all of this already"]})


def check_counts(*, of_namespace: int | None, of_grantee: int) -> None:
    """Refuse more grants than one place or one grantee may have.

    Args:
        of_namespace: how many there are in the namespace; ``None``: it is not one that is counted.

    Raises:
        Invalid: there are enough.
    """
    if of_namespace is not None and of_namespace >= MAX_GRANTS_OF_NAMESPACE:
        raise Invalid({"namespace": [f"has {MAX_GRANTS_OF_NAMESPACE} grants, and no more are possible: revoke some"]})
    if of_grantee >= MAX_GRANTS_OF_GRANTEE:
        raise Invalid({"grantee": [f"has {MAX_GRANTS_OF_GRANTEE} grants, and no more are possible: revoke some"]})
