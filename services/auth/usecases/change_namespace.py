"""Describe a namespace, let others see it, give it to another team."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.management import Operation, Rules
from services.auth.domain.namespaces import Visibility, check_visibility
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView, update_namespace
from services.auth.storage.teams import TeamView, find_team_named
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import get_namespace
from services.auth.usecases.rights import require_right
from shared.api.etags import Expected, anything
from shared.clock import Clock
from shared.contracts.auth_events import NamespaceTransferred, NamespaceUpdated
from shared.database import Database

_NO_RENAMING = (
    "cannot be changed: the registry keeps images under the path that they were pushed to. "
    "Make another namespace and push them there"
)


@dataclass(frozen=True, slots=True)
class NamespaceChange:
    """What is to be different; ``None`` leaves it as it is. Whoever names something must have the right to it."""

    name: str | None = None
    """May be named, and not be different."""
    description: str | None = None
    team: str | None = None
    """Name of the team that it is to belong to."""
    visibility: Visibility | None = None

    @property
    def operations(self) -> Iterator[Operation]:
        """What the caller must be allowed to do."""
        if self.description is not None:
            yield Operation.UPDATE_NAMESPACE
        if self.team is not None:
            yield Operation.TRANSFER_NAMESPACE
        if self.visibility is not None:
            yield Operation.CHANGE_VISIBILITY


def change_namespace(
    actor: Actor,
    namespace_id: int,
    change: NamespaceChange,
    *,
    rules: Rules,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> NamespaceView:
    """Change description, team or visibility.

    Raises:
        NotFound: the caller may not see it, or is not in the team that it is to belong to.
        Forbidden: the caller may not do one of these.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: the global namespace may not become private, and none is renamed.
    """
    subject = actor.subject
    with database.write() as connection, audited(connection, actor, clock) as record:
        # What is different is read before and after: nobody else may change it in between.
        hold(connection, Lock.NAMES)
        before = get_namespace(connection, subject, namespace_id, now=clock())
        for operation in change.operations:
            require_right(subject, operation, before.place, before.rules(rules))
        expected(before)
        update_namespace(connection, namespace_id, _columns(connection, subject, before, change), now=clock())
        after = get_namespace(connection, subject, namespace_id, now=clock())
        note_changes(connection, record, before, after, actor=actor, now=clock())
    return after


def get_new_team(connection: Connection, subject: Subject, name: str) -> TeamView:
    """Return the team that somebody wants to give namespaces to: one that they are in, or any to an administrator.

    Raises:
        NotFound: there is none; the same is said of one that they are not in.
    """
    team = find_team_named(connection, subject, name)
    if team is None or not (team.role or subject.administrator):
        raise NotFound("team")
    return team


def note_changes(
    connection: Connection, record: Record, before: NamespaceView, after: NamespaceView, *, actor: Actor, now: datetime
) -> None:
    """Record and announce what is different about a namespace."""
    by = actor.subject.username or None
    for entry in _entries(before, after):
        record(entry)
    if before.team != after.team:
        moved = NamespaceTransferred(
            after.name, after.team.name, before.team.name, namespace_id=after.id, team_id=after.team.id, actor=by
        )
        tell(connection, moved, about=after.name, now=now)
    if (before.description, before.visibility) != (after.description, after.visibility):
        event = NamespaceUpdated(after.name, after.team.name, after.visibility.value, actor=by)
        tell(connection, event, about=after.name, now=now)


def _entries(before: NamespaceView, after: NamespaceView) -> Iterator[Change]:
    # Its new team knows of it as the owner, and so the old one is named.
    target, team = Ref(after.id, after.name), Ref(before.team.id, before.team.name)
    values = (
        (Action.NAMESPACE_UPDATED, "description", before.description, after.description),
        (Action.NAMESPACE_VISIBILITY_CHANGED, "visibility", before.visibility, after.visibility),
        (Action.NAMESPACE_TRANSFERRED, "team", before.team.name, after.team.name),
    )
    for action, field, old, new in values:
        yield Change(action, target, team=team, before={field: old}, after={field: new})


def _columns(
    connection: Connection, subject: Subject, namespace: NamespaceView, change: NamespaceChange
) -> Mapping[str, object]:
    if change.name not in (None, namespace.name):
        raise Invalid({"name": [_NO_RENAMING]})
    columns: dict[str, object] = {}
    if change.visibility is not None:
        check_visibility(namespace.name, change.visibility)
        columns["visibility"] = change.visibility.value
    if change.description is not None:
        columns["description"] = change.description
    if change.team is not None:
        columns["team_id"] = get_new_team(connection, subject, change.team).id
    return columns
