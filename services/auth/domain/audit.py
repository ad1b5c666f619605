"""What is kept of every change: which actions there are, and which of their fields may be shown.

A field that is not named in ``SHOWN`` cannot get into the audit trail, whatever a use case hands
over; no password, secret or hash is named.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

FieldValue = str | int | bool | datetime | None | Iterable[str]
"""What a use case may hand over of one field."""
PlainValue = str | int | bool | None | list[str]
"""The same, as JSON has it."""
Fields = Mapping[str, FieldValue]
PlainFields = Mapping[str, PlainValue]


class Action(StrEnum):
    """Every change that is kept: what it was done to, and what was done."""

    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105
    USER_DELETED = "user.deleted"
    SESSION_OPENED = "session.opened"
    SESSION_REVOKED = "session.revoked"
    LOGIN_REVOKED = "login.revoked"
    TOKEN_CREATED = "token.created"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    ROBOT_CREATED = "robot.created"
    ROBOT_UPDATED = "robot.updated"
    ROBOT_SECRET_ADDED = "robot.secret_added"  # noqa: S105
    ROBOT_SECRET_REVOKED = "robot.secret_revoked"  # noqa: S105
    ROBOT_DELETED = "robot.deleted"
    TEAM_CREATED = "team.created"
    TEAM_UPDATED = "team.updated"
    TEAM_MEMBER_ADDED = "team.member_added"
    TEAM_MEMBER_CHANGED = "team.member_changed"
    TEAM_MEMBER_REMOVED = "team.member_removed"
    TEAM_MIGRATED = "team.migrated"
    TEAM_DELETED = "team.deleted"
    NAMESPACE_CREATED = "namespace.created"
    NAMESPACE_UPDATED = "namespace.updated"
    NAMESPACE_VISIBILITY_CHANGED = "namespace.visibility_changed"
    NAMESPACE_TRANSFERRED = "namespace.transferred"
    NAMESPACE_FROZEN = "namespace.frozen"
    NAMESPACE_UNFROZEN = "namespace.unfrozen"
    NAMESPACE_DELETED = "namespace.deleted"
    GRANT_CREATED = "grant.created"
    GRANT_UPDATED = "grant.updated"
    GRANT_REVOKED = "grant.revoked"
    ROLE_CREATED = "role.created"
    ROLE_UPDATED = "role.updated"
    ROLE_DELETED = "role.deleted"
    REGISTRY_CREATED = "registry.created"
    REGISTRY_UPDATED = "registry.updated"
    REGISTRY_DELETED = "registry.deleted"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    AUDIT_PURGED = "audit.purged"

    @property
    def target_type(self) -> str:
        """What it was done to."""
        return self.partition(".")[0]


CONCERNED = ("user", "team", "namespace")
"""What a change can concern, besides being done to something."""

PORTUS_KEYS: Mapping[str, str] = {
    Action.USER_DELETED: "user.delete",
    Action.TOKEN_CREATED: "application_token.create",
    Action.TOKEN_REVOKED: "application_token.destroy",
    Action.TEAM_CREATED: "team.create",
    Action.TEAM_UPDATED: "team.change_team_description",
    Action.TEAM_MEMBER_ADDED: "team.add_member",
    Action.TEAM_MEMBER_CHANGED: "team.change_member_role",
    Action.TEAM_MEMBER_REMOVED: "team.remove_member",
    Action.TEAM_MIGRATED: "team.migration",
    Action.TEAM_DELETED: "registry.remove_team",
    Action.NAMESPACE_CREATED: "namespace.create",
    Action.NAMESPACE_UPDATED: "namespace.change_namespace_description",
    Action.NAMESPACE_VISIBILITY_CHANGED: "namespace.change_visibility",
    Action.NAMESPACE_TRANSFERRED: "namespace.change_team",
    Action.NAMESPACE_DELETED: "registry.delete",
}
"""The key that SUSE Portus gave the same activity. Source: app/views/public_activity."""

SHOWN: Mapping[str, frozenset[str]] = {
    "user": frozenset(
        {"username", "email", "display_name", "administrator", "auditor", "bot", "enabled", "namespace", "sessions"}
    ),
    "login": frozenset({"client_id", "credential", "address"}),
    "session": frozenset(),
    "token": frozenset({"name", "actions", "namespaces", "expires_at"}),
    "robot": frozenset({"name", "description", "enabled", "expires_at", "allowed_addresses", "home"}),
    "team": frozenset({"name", "description", "role", "namespaces"}),
    "namespace": frozenset({"name", "description", "visibility", "team", "registry", "repository", "reason"}),
    "grant": frozenset({"pattern", "actions", "role", "expires_at", "reason", "grantee", "namespace", "registry"}),
    "role": frozenset({"name", "description", "actions", "grants"}),
    "registry": frozenset(
        {
            *("name", "service", "hostname", "external_hostname", "use_ssl"),
            *("token_ttl_s", "push_policy", "delete_policy"),
        }
    ),
    "key": frozenset({"kid", "expires_at"}),
    "audit": frozenset({"partition", "entries"}),
}
"""By target: the fields whose values may be kept."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A thing, by its id and by what it was called when it was changed."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """The same, for what is not counted: a session, a key."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as the use case that makes it describes it.

    ``before`` and ``after`` may hold everything that could have changed. A new thing has no
    ``before``, a removed one no ``after``.

    Raises:
        ValueError: a field may not be shown.
        TypeError: a value is none that JSON could hold; a ``Secret`` never is.
    """

    action: Action
    target: Ref | Target
    user: Ref | None = None
    """The person whom it concerns; may be left out when that is the target."""
    team: Ref | None = None
    """The team that may know of it."""
    namespace: Ref | None = None
    """The namespace whose team may know of it."""
    before: Fields = field(default_factory=dict)
    after: Fields = field(default_factory=dict)
    old: PlainFields = field(init=False)
    """What of ``before`` is different now, as JSON has it."""
    new: PlainFields = field(init=False)
    """What of ``after`` was different."""

    def __post_init__(self) -> None:
        """Find what differs; here, so that a fault shows in the use case that made it."""
        before, after = _plain(self.action, self.before), _plain(self.action, self.after)
        same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
        # The only way to compute a field of a frozen dataclass.
        object.__setattr__(self, "old", _without(before, same))
        object.__setattr__(self, "new", _without(after, same))

    @property
    def is_void(self) -> bool:
        """Tell whether everything is as it was, so that there is nothing to keep."""
        return bool(self.before and self.after) and not self.old and not self.new

    def concerned(self, kind: str) -> Ref | None:
        """Return the ``user``, ``team`` or ``namespace`` that it concerns; it may be the target itself."""
        named: Ref | None = getattr(self, kind)
        itself = self.target if self.action.target_type == kind else None
        return named or (itself if isinstance(itself, Ref) else None)


def _plain(action: Action, fields: Fields) -> dict[str, PlainValue]:
    if hidden := fields.keys() - SHOWN[action.target_type]:
        raise ValueError(f"{action}: these fields may not be shown: {', '.join(sorted(hidden))}")
    return {name: _plain_value(value) for name, value in fields.items()}


def _without(fields: PlainFields, names: Collection[str]) -> dict[str, PlainValue]:
    return {name: value for name, value in fields.items() if name not in names}


def _plain_value(value: FieldValue) -> PlainValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(item, str) for item in value):
        items = [str(item) for item in value]
        return sorted(items) if isinstance(value, set | frozenset) else items
    raise TypeError(f"a {type(value).__name__} cannot be kept in the audit trail")


def moment(at: datetime) -> str:
    """Write a moment in the one way in which it is hashed: RFC 3339, UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
