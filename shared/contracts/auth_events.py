"""What ``auth`` tells of people, teams and namespaces; ``actor`` is the username of who did it.

They name what is private, so they are for those who see everything; see ``services.notifier``.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class NamespaceUpdated:
    """A namespace was described anew, or is seen by others."""

    TYPE: ClassVar[str] = "auth.namespace.updated.v1"

    name: str
    team: str
    visibility: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class NamespaceTransferred:
    """A namespace belongs to another team."""

    TYPE: ClassVar[str] = "auth.namespace.transferred.v1"

    name: str
    team: str
    previous_team: str
    namespace_id: int | None = None
    team_id: int | None = None
    """What the team that it belongs to now is known by: teams are called otherwise at times."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class NamespaceFrozen:
    """Nobody pushes to a namespace, or to one repository of it, for the time being."""

    TYPE: ClassVar[str] = "auth.namespace.frozen.v1"

    name: str
    team: str
    reason: str
    repository: str | None = None
    """Full name of the repository; left out: the whole namespace."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class NamespaceUnfrozen:
    """Who could push before can push again."""

    TYPE: ClassVar[str] = "auth.namespace.unfrozen.v1"

    name: str
    team: str
    repository: str | None = None
    """Full name of the repository; left out: the whole namespace."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class NamespaceDeleted:
    """A namespace is gone, and so are its repositories."""

    TYPE: ClassVar[str] = "auth.namespace.deleted.v1"

    name: str
    team: str
    namespace_id: int | None = None
    """What it was known by: the name may be given again."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class TeamCreated:
    """A team exists from now on."""

    TYPE: ClassVar[str] = "auth.team.created.v1"

    name: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class TeamUpdated:
    """A team was described anew, or is called otherwise."""

    TYPE: ClassVar[str] = "auth.team.updated.v1"

    name: str
    previous_name: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class TeamDeleted:
    """A team is gone."""

    TYPE: ClassVar[str] = "auth.team.deleted.v1"

    name: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class MemberAdded:
    """A person is in a team from now on."""

    TYPE: ClassVar[str] = "auth.member.added.v1"

    team: str
    username: str
    role: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class MemberUpdated:
    """A person has another role in a team."""

    TYPE: ClassVar[str] = "auth.member.updated.v1"

    team: str
    username: str
    role: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """A person is no longer in a team."""

    TYPE: ClassVar[str] = "auth.member.removed.v1"

    team: str
    username: str
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class UserCreated:
    """Somebody has an account from now on."""

    TYPE: ClassVar[str] = "auth.user.created.v1"

    username: str
    actor: str | None = None
    """Absent when they signed up by themselves."""


@dataclass(frozen=True, slots=True)
class UserUpdated:
    """An account was changed."""

    TYPE: ClassVar[str] = "auth.user.updated.v1"

    username: str
    status: str
    """``enabled`` or ``disabled``."""
    office: str
    """``administrator``, ``auditor`` or ``none``."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """An account is gone. What carries the name goes on carrying it."""

    TYPE: ClassVar[str] = "auth.user.deleted.v1"

    username: str
    actor: str | None = None
