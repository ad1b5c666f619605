"""Show and change namespaces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import NotFound
from services.auth.domain.management import Operation, Rules
from services.auth.domain.namespaces import Visibility, check_visibility
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView, find_namespace, list_namespaces, update_namespace
from services.auth.usecases.audit import audited
from services.auth.usecases.rights import require_right
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.database import Database


@dataclass(frozen=True, slots=True)
class NamespaceChange:
    """What is to be different; ``None`` leaves it as it is."""

    description: str | None = None
    visibility: Visibility | None = None

    @property
    def operations(self) -> Iterator[Operation]:
        """What the caller must be allowed to do."""
        if self.description is not None:
            yield Operation.UPDATE_NAMESPACE
        if self.visibility is not None:
            yield Operation.CHANGE_VISIBILITY


def show_namespace(subject: Subject, namespace_id: int, *, database: Database, clock: Clock) -> NamespaceView:
    """Return a namespace that the caller may see.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    with database.read() as connection:
        namespace = find_namespace(connection, subject, namespace_id, now=clock())
    if namespace is None:
        raise NotFound("namespace")
    return namespace


def get_managed_namespace(
    connection: Connection, subject: Subject, namespace_id: int, operation: Operation, rules: Rules, *, now: datetime
) -> NamespaceView:
    """Return a namespace to which the caller may do something.

    Raises:
        NotFound: the caller may not even see it.
        Forbidden: the caller may not do this.
    """
    namespace = find_namespace(connection, subject, namespace_id, now=now)
    if namespace is None:
        raise NotFound("namespace")
    require_right(subject, operation, namespace.place, namespace.rules(rules))
    return namespace


def show_namespaces(subject: Subject, request: ListRequest, *, database: Database, clock: Clock) -> Page[NamespaceView]:
    """Return a page of the namespaces that the caller may see."""
    with database.read() as connection:
        return list_namespaces(connection, subject, request, now=clock())


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
    """Change description or visibility.

    Raises:
        NotFound: the caller may not see it.
        Forbidden: the caller may not do one of these.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: the global namespace may not become private.
    """
    subject = actor.subject
    with database.write() as connection, audited(connection, actor, clock) as record:
        # What is different is read before and after: nobody else may change it in between.
        hold(connection, Lock.NAMES)
        namespace = find_namespace(connection, subject, namespace_id, now=clock())
        if namespace is None:
            raise NotFound("namespace")
        for operation in change.operations:
            require_right(subject, operation, namespace.place, namespace.rules(rules))
        expected(namespace)
        if change.visibility is not None:
            check_visibility(namespace.name, change.visibility)
        update_namespace(connection, namespace_id, _columns(change), now=clock())
        changed = find_namespace(connection, subject, namespace_id, now=clock())
        if changed is None:
            raise NotFound("namespace")
        for entry in _changes(namespace, changed):
            record(entry)
    return changed


def _changes(before: NamespaceView, after: NamespaceView) -> Iterator[Change]:
    target, team = Ref(after.id, after.name), Ref(after.team.id, after.team.name)
    for action, name in (
        (Action.NAMESPACE_UPDATED, "description"),
        (Action.NAMESPACE_VISIBILITY_CHANGED, "visibility"),
    ):
        old, new = {name: getattr(before, name)}, {name: getattr(after, name)}
        yield Change(action, target, team=team, before=old, after=new)


def _columns(change: NamespaceChange) -> dict[str, str]:
    visibility = change.visibility and change.visibility.value
    wanted = {"description": change.description, "visibility": visibility}
    return {name: value for name, value in wanted.items() if value is not None}
