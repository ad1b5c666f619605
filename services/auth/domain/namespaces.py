"""Namespaces: the first component of a repository's name, and who owns what lies under it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.auth.domain.errors import Invalid
from services.auth.domain.grants import Freeze, Grant
from services.auth.domain.teams import Role
from shared.oci.names import is_name_component

GLOBAL_NAMESPACE = ""
"""Name of the global namespace: repositories without a slash have an empty first component."""

MAX_NAMESPACE_NAME_LENGTH = 255


class Visibility(StrEnum):
    PRIVATE = "private"
    PROTECTED = "protected"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """What a decision needs to know about a namespace and the caller's place in it."""

    name: str
    visibility: Visibility
    role: Role | None = None
    """The caller's role in the owning team."""
    is_own: bool = False
    """Whether it is the caller's personal namespace."""
    id: int = 0
    team_id: int = 0
    team: str = ""
    """Name of the owning team."""
    is_personal: bool = False
    """Whether the owning team stands behind one person or the global namespace."""
    grants: tuple[Grant, ...] = ()
    """The caller's own that hold in it, personal ones and those of teams."""
    freezes: tuple[Freeze, ...] = ()


Namespaces = Mapping[str, NamespaceFacts]
"""Facts by namespace name; a name that is missing is unknown to Portus."""


def namespace_of(repository: str) -> str:
    """Return the name of the namespace that a repository lies in."""
    namespace, slash, _rest = repository.partition("/")
    return namespace if slash else GLOBAL_NAMESPACE


def check_namespace_name(name: str) -> None:
    """Check the name of a namespace that somebody wants to make.

    Raises:
        Invalid: it is not one component of the distribution's grammar.
    """
    if len(name) > MAX_NAMESPACE_NAME_LENGTH or not is_name_component(name):
        raise Invalid(
            {
                "name": [
                    f"must have 1 to {MAX_NAMESPACE_NAME_LENGTH} lower-case letters and digits, "
                    "with '.', '_', '__' or dashes between them"
                ]
            }
        )


def check_visibility(namespace: str, visibility: Visibility) -> None:
    """Keep the global namespace from becoming private.

    Raises:
        Invalid: nobody could use it any more.
    """
    if namespace == GLOBAL_NAMESPACE and visibility is Visibility.PRIVATE:
        raise Invalid({"visibility": ["the global namespace may be public or protected"]})


def personal_namespace_name(username: str) -> str:
    """Derive the name of a person's namespace: ``!lol!name`` → ``lol_name``, ``john-doe`` stays.

    Returns:
        An empty string when nothing usable is left.
    """
    legal = re.sub(r"[^a-z0-9._-]", "_", username.lower())
    # Not every run of separators is legal, so any run becomes one underscore.
    squeezed = re.sub(r"[._-]{2,}", "_", legal)
    return squeezed.strip("._-")
