"""Make and show teams."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import Forbidden, Invalid, NotFound
from services.auth.domain.management import NOWHERE, Operation, Rules, decide_management
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView
from services.auth.storage.suggestions import TeamSuggestion, suggest_teams
from services.auth.storage.teams import TeamView, find_team, insert_member, insert_team, list_teams, taken_team_names
from services.auth.storage.users import find_user
from services.auth.usecases.audit import audited
from services.auth.usecases.catalog import Catalog
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import show_namespaces
from services.auth.usecases.rights import require_right
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.contracts.auth_events import TeamCreated
from shared.contracts.words import find_word
from shared.database import Database


def create_team(
    actor: Actor,
    *,
    name: str,
    description: str,
    owner_id: int | None,
    rules: Rules,
    database: Database,
    clock: Clock,
) -> TeamView:
    """Make a team; the caller becomes its owner.

    Args:
        owner_id: an administrator may name another owner.

    Raises:
        Forbidden: only administrators may name an owner, or make teams here at all.
        NotFound: there is no such owner.
        Invalid: the name is taken.
    """
    subject = actor.subject
    require_right(subject, Operation.CREATE_TEAM, NOWHERE, rules)
    if owner_id is not None and not subject.administrator:
        raise Forbidden("Only administrators may make a team for somebody else.")
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        owner = find_user(connection, (subject.user_id or 0) if owner_id is None else owner_id)
        if owner is None:
            raise NotFound("user")
        if not owner.enabled:
            raise Invalid({"owner_id": ["is disabled, and could not act for the team"]})
        if taken_team_names(connection, [name]):
            raise Invalid({"name": ["has already been taken"]})
        team_id = insert_team(connection, name, description=description, now=clock())
        insert_member(connection, team_id, owner.id, Role.OWNER, now=clock())
        shown = {"name": name, "description": description}
        record(Change(Action.TEAM_CREATED, Ref(team_id, name), user=Ref(owner.id, owner.username), after=shown))
        tell(connection, TeamCreated(name, actor=subject.username or None), about=name, now=clock())
        return get_visible_team(connection, subject, team_id)


def show_team(subject: Subject, team_id: int, *, database: Database) -> TeamView:
    """Return a team, to its members and to administrators.

    Raises:
        NotFound: for anybody else, as if there were none.
    """
    with database.read() as connection:
        return get_visible_team(connection, subject, team_id)


def show_teams(subject: Subject, request: ListRequest, *, database: Database) -> Page[TeamView]:
    """Return a page of the caller's teams; administrators and auditors get all but the hidden ones."""
    everything = decide_management(subject, Operation.SHOW_TEAM, NOWHERE, Rules()).allowed
    with database.read() as connection:
        return list_teams(connection, subject, request, everything=everything)


def suggest_own_teams(subject: Subject, beginning: str, *, database: Database) -> Sequence[TeamSuggestion]:
    """Return some of the teams that the caller may see, by the beginning of their names."""
    everything = decide_management(subject, Operation.SHOW_TEAM, NOWHERE, Rules()).allowed
    if not find_word(beginning):
        return []
    with database.read() as connection:
        return suggest_teams(connection, subject, beginning, everything=everything)


def show_team_namespaces(
    subject: Subject, team_id: int, request: ListRequest, *, catalog: Catalog, database: Database, clock: Clock
) -> Page[NamespaceView]:
    """Return a page of a team's namespaces, to those who may see the team.

    Raises:
        NotFound: the caller may not.
    """
    with database.read() as connection:
        get_visible_team(connection, subject, team_id)
    own = replace(request, filters={**request.filters, "team_id": team_id})
    return show_namespaces(subject, own, catalog=catalog, database=database, clock=clock)


def get_visible_team(connection: Connection, subject: Subject, team_id: int) -> TeamView:
    """Return a team that the caller is in, or any to an administrator or auditor.

    Raises:
        NotFound: it is hidden, does not exist, or is not the caller's.
    """
    team = find_team(connection, subject, team_id)
    if team is None or not decide_management(subject, Operation.SHOW_TEAM, team.place, Rules()).allowed:
        raise NotFound("team")
    return team


def get_managed_team(
    connection: Connection, subject: Subject, team_id: int, operation: Operation, rules: Rules
) -> TeamView:
    """Return a team to which the caller may do something.

    Raises:
        NotFound: the caller may not even see it.
        Forbidden: the caller may not do this.
    """
    team = get_visible_team(connection, subject, team_id)
    require_right(subject, operation, team.place, rules)
    return team
