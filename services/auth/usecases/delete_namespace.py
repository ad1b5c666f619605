"""Delete a namespace: first everything that lies in it, in the registry, then the namespace."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.management import Operation, Rules
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import Dependants, NamespaceView, count_dependants
from services.auth.storage.namespaces import delete_namespace as delete_row
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.catalog import Catalog, Deadline, Usage, empty
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import get_managed_namespace
from shared.api.etags import Expected, anything
from shared.clock import Clock
from shared.contracts.auth_events import NamespaceDeleted
from shared.database import Database


@dataclass(frozen=True, slots=True)
class NamespaceDeletion:
    """What would go with a namespace."""

    namespace: NamespaceView
    usage: Usage | None
    """``None`` in a registry that ``catalog`` does not read: its images stay where they are."""
    dependants: Dependants


def preview_deletion(
    subject: Subject, namespace_id: int, *, rules: Rules, catalog: Catalog, database: Database, clock: Clock
) -> NamespaceDeletion:
    """Tell what would go with a namespace; delete nothing.

    Raises:
        NotFound: the caller may not see it.
        Forbidden: the caller could not delete it.
        CatalogAway: nobody can say what lies in it.
    """
    with database.read() as connection:
        namespace = get_managed_namespace(
            connection, subject, namespace_id, Operation.DELETE_NAMESPACE, rules, now=clock()
        )
        dependants = count_dependants(connection, namespace_id)
    usage = catalog.find_usage([namespace.name])[namespace.name] if namespace.is_catalogued else None
    return NamespaceDeletion(namespace, usage, dependants)


def delete_namespace(
    actor: Actor,
    namespace_id: int,
    *,
    rules: Rules,
    catalog: Catalog,
    expected: Expected = anything,
    deadline: Deadline | None = None,
    database: Database,
    clock: Clock,
) -> None:
    """Delete a namespace and all that lies in it.

    Args:
        deadline: when to give up, where this is a part of something larger.

    Raises:
        NotFound: the caller may not see it.
        Forbidden: the caller may not delete it.
        PreconditionFailed: it is not what the caller has seen.
        CatalogAway, NotEmptied, StillEmptying: the namespace is still there.
    """
    deadline = deadline or Deadline()
    with database.read() as connection:
        namespace = get_managed_namespace(
            connection, actor.subject, namespace_id, Operation.DELETE_NAMESPACE, rules, now=clock()
        )
        expected(namespace)
    # Outside of any transaction: it may take a minute.
    empty_out(namespace, actor=actor, catalog=catalog, deadline=deadline)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        namespace = get_managed_namespace(
            connection, actor.subject, namespace_id, Operation.DELETE_NAMESPACE, rules, now=clock()
        )
        remove_namespace(connection, record, namespace, actor=actor, now=clock())


def empty_out(namespace: NamespaceView, *, actor: Actor, catalog: Catalog, deadline: Deadline) -> None:
    """Take everything out of a namespace, where ``catalog`` can.

    Raises:
        CatalogAway, NotEmptied, StillEmptying: see ``usecases.catalog``.
    """
    if namespace.is_catalogued:
        empty(namespace.name, actor=actor.subject.username, catalog=catalog, deadline=deadline)


def remove_namespace(
    connection: Connection, record: Record, namespace: NamespaceView, *, actor: Actor, now: datetime
) -> None:
    """Delete an empty namespace, with its event and its audit entry."""
    delete_row(connection, namespace.id)
    team = Ref(namespace.team.id, namespace.team.name)
    shown = {
        "name": namespace.name,
        "team": team.name,
        "visibility": namespace.visibility,
        "description": namespace.description,
    }
    record(Change(Action.NAMESPACE_DELETED, Ref(namespace.id, namespace.name), team=team, before=shown))
    event = NamespaceDeleted(namespace.name, team.name, namespace.id, actor.subject.username or None)
    tell(connection, event, about=namespace.name, now=now)
