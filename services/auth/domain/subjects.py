"""Who is calling."""

from dataclasses import dataclass
from enum import StrEnum

INTERNAL_USERNAME = "portus"
"""The account with which Portus itself reads the registry; nobody else may take the name."""


class SubjectKind(StrEnum):
    ANONYMOUS = "anonymous"
    PERSON = "person"
    ROBOT = "robot"
    INTERNAL = "internal"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a credential leaves of its owner's rights; ``None`` leaves them whole."""

    actions: frozenset[str] | None = None
    namespaces: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RobotHome:
    """What a robot belongs to: nothing that it is granted reaches further; neither: the installation."""

    namespace_id: int | None = None
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A caller whose identity has been established, or nobody in particular."""

    kind: SubjectKind
    username: str = ""
    """``sub`` of the tokens; empty for an anonymous caller."""
    user_id: int | None = None
    administrator: bool = False
    auditor: bool = False
    """Sees everything and changes nothing."""
    robot_id: int | None = None
    home: RobotHome | None = None
    """A robot's own."""
    narrowing: Narrowing | None = None
    """Of the credential that was shown; ``None``: it carries all that the subject may do."""

    @property
    def id(self) -> int | None:
        """The id of the person or of the robot; both may be the same."""
        return self.robot_id if self.user_id is None else self.user_id


ANONYMOUS = Subject(SubjectKind.ANONYMOUS)
INTERNAL = Subject(SubjectKind.INTERNAL, INTERNAL_USERNAME)
OPERATOR = Subject(SubjectKind.OPERATOR, administrator=True)
"""Whoever runs our commands on the machine; no credential makes anybody one."""


def person(
    user_id: int,
    username: str,
    *,
    administrator: bool = False,
    auditor: bool = False,
    narrowing: Narrowing | None = None,
) -> Subject:
    """Return the subject for a person who has an account."""
    return Subject(SubjectKind.PERSON, username, user_id, administrator, auditor, narrowing=narrowing)


def robot(robot_id: int, username: str, home: RobotHome) -> Subject:
    """Return the subject for a robot account."""
    return Subject(SubjectKind.ROBOT, username, robot_id=robot_id, home=home)
