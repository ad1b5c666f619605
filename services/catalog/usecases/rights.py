"""Whether the caller may, as ``auth`` says, and under which name."""

from collections.abc import Callable, Collection, Mapping

from shared.oci.names import RepositoryName
from shared.visibility.answers import Permission, Visibility

FindPermissions = Callable[[RepositoryName, Collection[str]], Mapping[str, Permission]]
"""Answers for the caller: repository and actions in, permissions by action out."""

ANONYMOUS = "anonymous"
"""Stands for the name of a caller who has none."""


class NotAllowed(Exception):
    """The caller may not.

    Args:
        reason: in ``auth``'s words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


def require(permissions: FindPermissions, repository: RepositoryName, action: str) -> None:
    """Make sure that the caller may do one thing in a repository.

    Raises:
        NotAllowed: the caller may not.
    """
    permission = permissions(repository, [action])[action]
    if not permission.allowed:
        raise NotAllowed(permission.reason)


def actor_of(visibility: Visibility) -> str:
    """Return the caller's name, for what is written down."""
    return visibility.caller.username if visibility.caller else ANONYMOUS
