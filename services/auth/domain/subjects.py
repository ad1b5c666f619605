"""Who is calling."""

from dataclasses import dataclass
from enum import StrEnum

INTERNAL_USERNAME = "portus"
"""The account with which Portus itself reads the registry; nobody else may take the name."""


class SubjectKind(StrEnum):
    ANONYMOUS = "anonymous"
    PERSON = "person"
    INTERNAL = "internal"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Subject:
    """A caller whose identity has been established, or nobody in particular."""

    kind: SubjectKind
    username: str = ""
    """``sub`` of the tokens; empty for an anonymous caller."""
    user_id: int | None = None
    administrator: bool = False


ANONYMOUS = Subject(SubjectKind.ANONYMOUS)
INTERNAL = Subject(SubjectKind.INTERNAL, INTERNAL_USERNAME)
OPERATOR = Subject(SubjectKind.OPERATOR, administrator=True)
"""Whoever runs our commands on the machine; no credential makes anybody one."""


def person(user_id: int, username: str, *, administrator: bool = False) -> Subject:
    """Return the subject for a person who has an account."""
    return Subject(SubjectKind.PERSON, username, user_id, administrator)
