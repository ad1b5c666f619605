"""The answer of ``auth``, read into a type."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from shared.oci.names import RepositoryName

MAX_PATTERNS = 1000
"""So many patterns of repositories are looked at for one caller; what only a further one names is not shown."""

ANY_RUN = "*"
"""Stands for any run of characters, slashes among them; nothing else in a pattern is special."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling."""

    username: str
    kind: str
    """``person``, or another kind of account that ``auth`` knows."""
    administrator: bool = False
    auditor: bool = False
    """Sees everything and changes nothing."""
    id: int | None = None
    """Of the person or robot; ``None``: ``auth`` does not say."""
    narrowed: bool = False
    """Whether the credential carries a part of its owner's rights: it is for the registry only."""


@dataclass(frozen=True, slots=True)
class RepositoryPattern:
    """Repositories of one namespace, by a glob over their full names."""

    namespace: str | None
    """``None``: the global namespace."""
    pattern: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """The repositories that a caller may pull from."""

    everything: bool = False
    global_namespace: bool = False
    """Whether repositories without a slash are among them."""
    namespaces: tuple[str, ...] = ()
    repositories: tuple[RepositoryPattern, ...] = ()
    """Single repositories of other namespaces; at most ``MAX_PATTERNS``."""
    caller: Caller | None = None
    """``None``: anonymous."""
    namespace: str | None = None
    """Name of the namespace whose id was asked for; ``None``: there is none, or the caller may not see it."""

    @property
    def oversees(self) -> bool:
        """Whether the caller may see what is about no repository: an administrator or auditor, not narrowed.

        Who may pull everything, as a robot of the whole installation, is not one of them.
        """
        return self.everything and self.caller is not None and (self.caller.administrator or self.caller.auditor)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a caller may do one thing, and why."""

    allowed: bool
    reason: str
    """One sentence for the caller."""


@dataclass(frozen=True, slots=True)
class RepositoryPlace:
    """Where a repository lies, and what a caller may do to it."""

    namespace_id: int | None
    """Of ``auth``; ``None``: nobody has made the namespace, or the caller may not pull from the repository."""
    allowed: frozenset[str]
    """Those of the actions that were asked about."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may manage in one namespace, or in the whole installation."""

    caller: Caller | None
    """``None``: anonymous."""
    namespace: str | None
    """Its name, empty for the global one; ``None``: there is none, or the caller may not see it."""
    permissions: Mapping[str, Permission]
    """By operation."""
    team_id: int | None = None
    """Of the team that the namespace belongs to; ``None``: it was not told."""


def load_rights(body: Any, operations: Collection[str]) -> Rights:
    """Read the answer's JSON; only what is plainly granted is granted.

    Raises:
        LookupError, TypeError: a member is missing or of another form.
    """
    given = {operation: body["operations"][operation] for operation in operations}
    permissions = {name: Permission(one["allowed"] is True, str(one["reason"])) for name, one in given.items()}
    namespace = body["namespace"]
    return Rights(_load_caller(body["subject"]), _load_namespace(namespace), permissions, _load_team(namespace))


def load_permissions(body: Any, actions: Collection[str]) -> dict[str, Permission]:
    """Read what was asked from the answer's JSON; only what is plainly granted is granted.

    Raises:
        LookupError, TypeError: an action is missing or of another form.
    """
    given = {action: body["actions"][action] for action in actions}
    return {action: Permission(one["allowed"] is True, str(one["reason"])) for action, one in given.items()}


def load_places(body: Any, repositories: Collection[RepositoryName]) -> dict[RepositoryName, RepositoryPlace]:
    """Read the answer's JSON; only what is plainly granted is granted.

    Raises:
        LookupError, TypeError: a repository is missing or of another form.
    """
    given = {repository: body["repositories"][repository] for repository in repositories}
    return {
        repository: RepositoryPlace(_optional_id(one["namespace_id"]), frozenset(map(_text, one["allowed"])))
        for repository, one in given.items()
    }


def load_visibility(body: Any, *, with_namespace: bool = False) -> Visibility:
    """Read the answer's JSON; only what is plainly granted is granted.

    Args:
        with_namespace: a namespace was asked for by its id, so that the answer has to tell.

    Raises:
        LookupError, TypeError: a member is missing or of another form.
    """
    return Visibility(
        everything=body["everything"] is True,
        global_namespace=body["global_namespace"] is True,
        namespaces=tuple(str(name) for name in body["namespaces"]),
        repositories=_load_patterns(body.get("repositories", ())),
        caller=_load_caller(body["subject"]),
        namespace=_load_namespace(body["namespace"]) if with_namespace else None,
    )


def _load_namespace(found: Any) -> str | None:
    return None if found is None else _text(found["name"])


def _load_team(found: Any) -> int | None:
    team_id = found.get("team_id") if found else None
    return team_id if type(team_id) is int else None


def _load_patterns(listed: Any) -> tuple[RepositoryPattern, ...]:
    patterns = [RepositoryPattern(_text(one["namespace"]) or None, _text(one["pattern"])) for one in listed]
    if len(patterns) > MAX_PATTERNS:
        log.warning("auth.too_many_patterns", given=len(patterns), used=MAX_PATTERNS)
    # No name holds a control character, and no database takes one.
    return tuple(one for one in patterns[:MAX_PATTERNS] if f"{one.namespace}{one.pattern}".isprintable())


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _optional_id(value: Any) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError("not an id")
    return value


def _load_caller(subject: Any) -> Caller | None:
    if subject is None:
        return None
    return Caller(
        str(subject["username"]),
        str(subject["kind"]),
        administrator=subject["administrator"] is True,
        auditor=subject.get("auditor") is True,
        id=_optional_id(subject.get("id")),
        narrowed=subject.get("narrowed") is True,
    )
