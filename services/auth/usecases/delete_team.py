"""Delete a team: its namespaces go to another team, or with it, with all their images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import Invalid, NotEmptied, StillEmptying
from services.auth.domain.management import Operation, Rules
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView, list_namespaces_of, update_namespace
from services.auth.storage.teams import TeamView
from services.auth.storage.teams import delete_team as delete_row
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.catalog import Catalog, Deadline, Usage
from services.auth.usecases.change_namespace import get_new_team, note_changes
from services.auth.usecases.delete_namespace import delete_namespace
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import get_namespace
from services.auth.usecases.teams import get_managed_team
from shared.api.etags import Expected, anything
from shared.clock import Clock
from shared.contracts.auth_events import TeamDeleted
from shared.database import Database


@dataclass(frozen=True, slots=True)
class TeamDeletion:
    """What would go with a team, or to another one."""

    team: TeamView
    images: Usage
    """In all its namespaces that ``catalog`` reads."""


def preview_team_deletion(
    subject: Subject, team_id: int, *, rules: Rules, catalog: Catalog, database: Database, clock: Clock
) -> TeamDeletion:
    """Tell what would go with a team; delete nothing.

    Raises:
        NotFound: the caller may not see it.
        Forbidden: the caller could not delete it.
        CatalogAway: nobody can say what lies in its namespaces.
    """
    with database.read() as connection:
        team = get_managed_team(connection, subject, team_id, Operation.DELETE_TEAM, rules)
        namespaces = list_namespaces_of(connection, subject, team_id, now=clock())
    return TeamDeletion(team, total_usage(namespaces, catalog))


def total_usage(namespaces: Iterable[NamespaceView], catalog: Catalog) -> Usage:
    """Return how much lies in several namespaces.

    Raises:
        CatalogAway: nobody can say.
    """
    usage = catalog.find_usage([namespace.name for namespace in namespaces if namespace.is_catalogued]).values()
    return Usage(
        sum(one.repositories for one in usage), sum(one.tags for one in usage), sum(one.size_bytes for one in usage)
    )


def delete_team(
    actor: Actor,
    team_id: int,
    *,
    new_team: str | None,
    rules: Rules,
    catalog: Catalog,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> None:
    """Delete a team.

    Args:
        new_team: name of the team that its namespaces go to; ``None``: they go with it.

    Raises:
        NotFound: the caller may not see it, or is not in the new team.
        Forbidden: the caller may not delete it.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: the new team is the old one.
        CatalogAway, NotEmptied, StillEmptying: the team is still there, with what could not be deleted.
    """
    if new_team is None:
        with database.read() as connection:
            team = get_managed_team(connection, actor.subject, team_id, Operation.DELETE_TEAM, rules)
            expected(team)
            namespaces = list_namespaces_of(connection, actor.subject, team_id, now=clock())
        _delete_namespaces(actor, team, namespaces, rules=rules, catalog=catalog, database=database, clock=clock)
        # It has changed by now, and by us.
        expected = anything
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        team = get_managed_team(connection, actor.subject, team_id, Operation.DELETE_TEAM, rules)
        expected(team)
        if new_team is not None:
            target = get_new_team(connection, actor.subject, new_team)
            migrate_namespaces(connection, record, Ref(team.id, team.name), target, actor=actor, now=clock())
        elif team.namespaces_count:
            raise Invalid({"team": ["has got a namespace just now: send the request again"]})
        remove_team(connection, record, team, actor=actor, now=clock())


def migrate_namespaces(
    connection: Connection, record: Record, team: Ref, target: TeamView, *, actor: Actor, now: datetime
) -> None:
    """Give all namespaces of a team to another one.

    Raises:
        Invalid: it is the same team.
    """
    if target.id == team.id:
        raise Invalid({"new_team": ["is the team that is to be deleted"]})
    moved = list_namespaces_of(connection, actor.subject, team.id, now=now)
    for before in moved:
        update_namespace(connection, before.id, {"team_id": target.id}, now=now)
        after = get_namespace(connection, actor.subject, before.id, now=now)
        note_changes(connection, record, before, after, actor=actor, now=now)
    shown = {"name": target.name, "namespaces": [namespace.name for namespace in moved]}
    record(Change(Action.TEAM_MIGRATED, Ref(target.id, target.name), before={"name": team.name}, after=shown))


def remove_team(connection: Connection, record: Record, team: TeamView, *, actor: Actor, now: datetime) -> None:
    """Delete a team that has no namespace, with its event and its audit entry."""
    delete_row(connection, team.id)
    shown = {"name": team.name, "description": team.description}
    record(Change(Action.TEAM_DELETED, Ref(team.id, team.name), before=shown))
    tell(connection, TeamDeleted(team.name, actor=actor.subject.username or None), about=team.name, now=now)


def _delete_namespaces(
    actor: Actor,
    team: TeamView,
    namespaces: Sequence[NamespaceView],
    *,
    rules: Rules,
    catalog: Catalog,
    database: Database,
    clock: Clock,
) -> None:
    deadline = Deadline()
    faults: dict[str, Sequence[str]] = {}
    deleted: list[str] = []
    for position, namespace in enumerate(namespaces):
        if deadline.has_passed:
            raise StillEmptying(f"team {team.name}", f"{len(namespaces) - position} namespaces")
        try:
            delete_namespace(
                actor,
                namespace.id,
                rules=rules,
                catalog=catalog,
                deadline=deadline,
                database=database,
                clock=clock,
            )
        except NotEmptied as fault:
            faults |= fault.errors
            deleted += fault.deleted
    if faults:
        raise NotEmptied(f"team {team.name}", faults, deleted)
