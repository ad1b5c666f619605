"""Make a namespace."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.errors import Forbidden, Invalid, NotFound
from services.auth.domain.namespaces import NamespaceFacts, Visibility, check_namespace_name
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView, find_namespace, insert_namespace, taken_namespace_names
from services.auth.storage.tables import outbox
from services.auth.storage.teams import TeamView, find_team_named
from shared.clock import Clock
from shared.contracts.events import NamespaceCreated, envelope_of
from shared.database import Database
from shared.messaging.outbox import record_event

SOURCE = "/auth"
"""``source`` of every message of this service."""


def create_namespace(
    subject: Subject, *, name: str, team: str, description: str, policy: Policy, database: Database, clock: Clock
) -> NamespaceView:
    """Make a private namespace for a team; whoever may push to it may make it.

    Raises:
        NotFound: there is no such team.
        Forbidden: the caller could not push to it.
        Invalid: the name is outside the grammar or taken.
    """
    check_namespace_name(name)
    with database.write() as connection:
        hold(connection, Lock.NAMES)
        owner = find_team_named(connection, subject, team)
        if owner is None:
            raise NotFound("team")
        _check_permission(subject, name, owner, policy)
        if taken_namespace_names(connection, [name]):
            raise Invalid({"name": ["has already been taken"]})
        namespace_id = add_namespace(
            connection, name, team_id=owner.id, team=owner.name, description=description, now=clock()
        )
        namespace = find_namespace(connection, subject, namespace_id)
    if namespace is None:
        raise NotFound("namespace")
    return namespace


def add_namespace(
    connection: Connection, name: str, *, team_id: int, team: str, description: str, now: datetime
) -> int:
    """Insert a private namespace together with its event; return its id."""
    visibility = Visibility.PRIVATE
    namespace_id = insert_namespace(
        connection, name, team_id=team_id, visibility=visibility, description=description, now=now
    )
    event = NamespaceCreated(name=name, team=team, visibility=visibility.value)
    record_event(connection, outbox, envelope_of(event, id=uuid4().hex, source=SOURCE, time=now, subject=name))
    return namespace_id


def _check_permission(subject: Subject, name: str, team: TeamView, policy: Policy) -> None:
    facts = NamespaceFacts(name, Visibility.PRIVATE, team.role)
    decision = decide(subject, "push", "repository", f"{name}/any", facts, policy)
    if not decision.allowed:
        raise Forbidden(f"You may not make a namespace for this team: {decision.reason}.")
