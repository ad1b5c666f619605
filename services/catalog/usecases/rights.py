"""Whether the caller may, as ``auth`` says, and under which name."""

from collections.abc import Callable, Collection, Mapping, Sequence

from shared.oci.names import RepositoryName
from shared.visibility.answers import Permission, Visibility

FindPermissions = Callable[[RepositoryName, Collection[str]], Mapping[str, Permission]]
"""Answers for the caller: repository and actions in, permissions by action out."""

DELETE = "delete"
"""The action that is asked about before something is deleted, and where it is shown that it may be."""

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


def require_whole(visibility: Visibility) -> None:
    """Make sure that the caller's credential carries all of its owner's rights.

    Raises:
        NotAllowed: it is narrowed, and what is to be done lasts longer than it, or is said in its owner's name.
    """
    if visibility.caller and visibility.caller.narrowed:
        raise NotAllowed("This application token is narrowed: it is for the registry only.")


def actor_of(visibility: Visibility) -> str:
    """Return the caller's name, for what is written down."""
    return visibility.caller.username if visibility.caller else ANONYMOUS


def require_namespace(visibility: Visibility, permissions: FindPermissions, namespace: str | None, action: str) -> None:
    """Make sure that the caller may do one thing to whatever a namespace holds, or will.

    Args:
        namespace: ``None``: in the whole installation; empty: the global one.

    Raises:
        NotAllowed: the caller may not.
    """
    require_whole(visibility)
    caller = visibility.caller
    if visibility.oversees and caller and caller.administrator:
        return
    if namespace is None:
        raise NotAllowed("Only administrators make rules for the whole installation.")
    # Asked as if the star were a name: only a right to all of the namespace covers it.
    require(permissions, RepositoryName(f"{namespace}/*" if namespace else "*"), action)


def seen_namespaces(visibility: Visibility) -> Sequence[str] | None:
    """Return the namespaces whose rules a caller sees; ``None``: all, and those of the whole installation.

    The global namespace is called by an empty name.
    """
    if visibility.oversees:
        return None
    return [*visibility.namespaces, *([""] if visibility.global_namespace else [])]
