"""Freeze a namespace or a repository, show what is frozen, and end it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.freezes import NewFreeze, check_new_freeze
from services.auth.domain.management import Operation, Rules
from services.auth.domain.subjects import Subject
from services.auth.storage.freezes import (
    FreezeView,
    count_freezes,
    delete_freeze,
    find_freeze,
    find_freeze_of,
    insert_freeze,
    list_freezes,
    update_reason,
)
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import get_managed_namespace
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.contracts.auth_events import NamespaceFrozen, NamespaceUnfrozen
from shared.database import Database


def show_freezes(
    subject: Subject, namespace_id: int, request: ListRequest, *, database: Database, clock: Clock
) -> Page[FreezeView]:
    """Return a page of what is frozen in a namespace.

    Raises:
        NotFound: the caller may not see the namespace.
        Forbidden: the caller is not in its team.
    """
    with database.read() as connection:
        _get_namespace(connection, subject, namespace_id, Operation.SHOW_FREEZES, now=clock())
        return list_freezes(connection, namespace_id, request)


def show_freeze(subject: Subject, namespace_id: int, freeze_id: int, *, database: Database, clock: Clock) -> FreezeView:
    """Return a freeze of a namespace.

    Raises:
        NotFound: there is none, or the caller may not see the namespace.
        Forbidden: the caller is not in its team.
    """
    with database.read() as connection:
        _get_namespace(connection, subject, namespace_id, Operation.SHOW_FREEZES, now=clock())
        return _get(connection, namespace_id, freeze_id)


def freeze(actor: Actor, namespace_id: int, new: NewFreeze, *, database: Database, clock: Clock) -> FreezeView:
    """Let nobody push to a namespace or a repository, from the next token on; pulls go on.

    Raises:
        NotFound: the caller may not see the namespace.
        Forbidden: the caller does not manage it.
        Invalid: a value breaks a rule, it is frozen already, or too much is.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        scene = _enter(connection, record, actor, namespace_id, now=clock())
        check_new_freeze(new, scene.namespace.name, existing=count_freezes(connection, namespace_id))
        if find_freeze_of(connection, namespace_id, new.repository):
            raise Invalid({"repository": ["is frozen already: change the reason, or end that freeze"]})
        who = actor.subject.username
        freeze_id = insert_freeze(connection, namespace_id, new, created_by=who, now=scene.now)
        made = _get(connection, namespace_id, freeze_id)
        scene.record_frozen(None, made)
    return made


def change_reason(
    actor: Actor,
    namespace_id: int,
    freeze_id: int,
    reason: str,
    *,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> FreezeView:
    """Say otherwise why something is frozen.

    Raises:
        NotFound: there is no such freeze, or the caller may not see the namespace.
        Forbidden: the caller does not manage it.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        scene = _enter(connection, record, actor, namespace_id, now=clock())
        before = _get(connection, namespace_id, freeze_id)
        expected(before)
        update_reason(connection, freeze_id, reason)
        after = _get(connection, namespace_id, freeze_id)
        scene.record_frozen(before, after)
    return after


def unfreeze(
    actor: Actor,
    namespace_id: int,
    freeze_id: int,
    *,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> None:
    """End a freeze: who could push before can push again.

    Raises:
        NotFound: there is no such freeze, or the caller may not see the namespace.
        Forbidden: the caller does not manage it.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        scene = _enter(connection, record, actor, namespace_id, now=clock())
        ended = _get(connection, namespace_id, freeze_id)
        expected(ended)
        delete_freeze(connection, freeze_id)
        scene.record_unfrozen(ended)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A namespace that somebody manages, and where what they do to it is recorded."""

    connection: Connection
    record: Record
    actor: Actor
    namespace: NamespaceView
    now: datetime

    def record_frozen(self, before: FreezeView | None, after: FreezeView) -> None:
        change = Change(
            Action.NAMESPACE_FROZEN,
            self._target,
            team=self._team,
            before=_shown(before) if before else {},
            after=_shown(after),
        )
        self.record(change)
        if not change.is_void:
            event = NamespaceFrozen(
                self.namespace.name, self.namespace.team.name, after.reason, after.repository or None, self._by
            )
            tell(self.connection, event, about=self.namespace.name, now=self.now)

    def record_unfrozen(self, ended: FreezeView) -> None:
        self.record(Change(Action.NAMESPACE_UNFROZEN, self._target, team=self._team, before=_shown(ended)))
        event = NamespaceUnfrozen(self.namespace.name, self.namespace.team.name, ended.repository or None, self._by)
        tell(self.connection, event, about=self.namespace.name, now=self.now)

    @property
    def _by(self) -> str | None:
        return self.actor.subject.username or None

    @property
    def _target(self) -> Ref:
        return Ref(self.namespace.id, self.namespace.name)

    @property
    def _team(self) -> Ref:
        return Ref(self.namespace.team.id, self.namespace.team.name)


def _enter(connection: Connection, record: Record, actor: Actor, namespace_id: int, *, now: datetime) -> _Scene:
    hold(connection, Lock.NAMES)
    namespace = _get_namespace(connection, actor.subject, namespace_id, Operation.FREEZE_NAMESPACE, now=now)
    return _Scene(connection, record, actor, namespace, now)


def _get_namespace(
    connection: Connection, subject: Subject, namespace_id: int, operation: Operation, *, now: datetime
) -> NamespaceView:
    # No policy and no switch bears on freezing.
    return get_managed_namespace(connection, subject, namespace_id, operation, Rules(), now=now)


def _get(connection: Connection, namespace_id: int, freeze_id: int) -> FreezeView:
    found = find_freeze(connection, namespace_id, freeze_id)
    if found is None:
        raise NotFound("freeze")
    return found


def _shown(freeze: FreezeView) -> Fields:
    return {"repository": freeze.repository or None, "reason": freeze.reason}
