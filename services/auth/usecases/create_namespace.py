"""Make a namespace."""

from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import Forbidden, NotFound
from services.auth.domain.management import Operation, Rules, decide_management, new_namespace_place
from services.auth.domain.namespaces import Visibility
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView, insert_namespace
from services.auth.storage.registries import find_registry_named
from services.auth.storage.teams import TeamView, find_team_named
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import check_new_name, get_namespace
from services.auth.usecases.rights import require_right
from shared.clock import Clock
from shared.contracts.events import NamespaceCreated
from shared.database import Database


def create_namespace(
    actor: Actor,
    *,
    name: str,
    team: str,
    description: str,
    registry: str | None = None,
    rules: Rules,
    database: Database,
    clock: Clock,
) -> NamespaceView:
    """Make a private namespace for a team; whoever may push to it may make it.

    Args:
        registry: name of the registry that it is in; ``None``: the first one.

    Raises:
        NotFound: there is no such registry, or no such team, which only administrators are told.
        Forbidden: the caller could not push to it, or may not know whether there is such a team.
        Invalid: the name is outside the grammar or taken.
    """
    subject = actor.subject
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        owner = _get_owner(connection, subject, team)
        place = find_registry_named(connection, registry)
        held = rules.under(place.policy(rules.policy))
        require_right(subject, Operation.CREATE_NAMESPACE, new_namespace_place(name, owner.role), held)
        check_new_name(connection, name, registry_id=place.id)
        owning = Ref(owner.id, owner.name)
        namespace_id = add_namespace(
            connection, record, name, team=owning, description=description, registry_id=place.id, now=clock()
        )
        return get_namespace(connection, subject, namespace_id, now=clock())


def add_namespace(
    connection: Connection,
    record: Record,
    name: str,
    *,
    team: Ref,
    description: str,
    now: datetime,
    registry_id: int = FIRST_REGISTRY_ID,
) -> int:
    """Insert a private namespace together with its event and its audit entry; return its id."""
    visibility = Visibility.PRIVATE
    namespace_id = insert_namespace(
        connection,
        name,
        team_id=team.id,
        visibility=visibility,
        description=description,
        registry_id=registry_id,
        now=now,
    )
    event = NamespaceCreated(name=name, team=team.name, visibility=visibility.value)
    tell(connection, event, about=name, now=now)
    shown = {"name": name, "team": team.name, "visibility": visibility, "description": description}
    record(Change(Action.NAMESPACE_CREATED, Ref(namespace_id, name), team=team, after=shown))
    return namespace_id


def _get_owner(connection: Connection, subject: Subject, name: str) -> TeamView:
    team = find_team_named(connection, subject, name)
    if team is None and subject.administrator:
        raise NotFound("team")
    # Whoever is not in a team must not learn from the answer whether there is one of that name.
    if team is None or not decide_management(subject, Operation.SHOW_TEAM, team.place, Rules()).allowed:
        raise Forbidden("You may not make a namespace for this team: there is none of that name, or you are not in it.")
    return team
