"""Roles in a team, and what keeps a team governable."""

from collections.abc import Iterable
from enum import StrEnum

from services.auth.domain.errors import Invalid

GLOBAL_TEAM = "portus_global_team"
"""The hidden team that owns the global namespace; it has no members, administrators pass anyway."""

MAX_TEAM_NAME_LENGTH = 255
MAX_DESCRIPTION_LENGTH = 10_000


class Role(StrEnum):
    VIEWER = "viewer"
    CONTRIBUTOR = "contributor"
    OWNER = "owner"


def effective_role(asked: Role, *, administrator: bool) -> Role:
    """Return the role that a new member gets: an administrator is an owner wherever they are."""
    return Role.OWNER if administrator else asked


def check_role_change(current: Role, asked: Role, *, administrator: bool, other_owners: int) -> None:
    """Refuse to demote an administrator or the only owner.

    Args:
        other_owners: how many owners the team has besides this member.

    Raises:
        Invalid: the change would break one of the two rules.
    """
    if asked is Role.OWNER:
        return
    if administrator:
        raise Invalid({"role": ["a Portus administrator is always an owner"]})
    if current is Role.OWNER and other_owners == 0:
        raise Invalid({"role": ["the only owner of a team cannot be demoted: make somebody else an owner first"]})


def check_removal(current: Role, *, other_owners: int) -> None:
    """Refuse to remove the only owner.

    Raises:
        Invalid: the team would be left without an owner.
    """
    if current is Role.OWNER and other_owners == 0:
        raise Invalid({"user": ["the only owner of a team cannot be removed: make somebody else an owner first"]})


def first_free_name(wanted: str, taken: Iterable[str]) -> str | None:
    """Return the name, or the name with the first suffix 0, 1, 2… that nobody has.

    Returns:
        ``None`` when a thousand suffixes are taken.
    """
    unavailable = frozenset(taken)
    return next((name for name in candidate_names(wanted) if name not in unavailable), None)


def candidate_names(wanted: str) -> tuple[str, ...]:
    """Return the names that ``first_free_name`` tries, in order."""
    return (wanted, *(f"{wanted}{number}" for number in range(1000)))
