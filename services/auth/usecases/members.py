"""Who is in a team."""

from collections.abc import Sequence

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.management import Operation, Rules
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role, check_removal, check_role_change, effective_role
from services.auth.storage.suggestions import UserSuggestion, suggest_members
from services.auth.storage.teams import (
    MemberView,
    TeamView,
    count_other_owners,
    delete_member,
    find_member,
    insert_member,
    is_member,
    list_members,
    lock_team,
    update_member,
)
from services.auth.storage.users import find_user_named
from services.auth.usecases.audit import audited
from services.auth.usecases.messages import tell
from services.auth.usecases.teams import get_managed_team, get_visible_team
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.contracts.auth_events import MemberAdded, MemberRemoved, MemberUpdated
from shared.contracts.words import find_word
from shared.database import Database


def show_members(subject: Subject, team_id: int, request: ListRequest, *, database: Database) -> Page[MemberView]:
    """Return a page of a team's enabled members, to its members and to administrators.

    Raises:
        NotFound: the caller may not see the team.
    """
    with database.read() as connection:
        get_visible_team(connection, subject, team_id)
        return list_members(connection, team_id, request)


def show_member(subject: Subject, team_id: int, member_id: int, *, database: Database) -> MemberView:
    """Return a member of a team, disabled or not, to its members and to administrators.

    Raises:
        NotFound: no such team for the caller, or no such member.
    """
    with database.read() as connection:
        get_visible_team(connection, subject, team_id)
        return _get(connection, team_id, member_id)


def suggest_new_members(
    subject: Subject, team_id: int, beginning: str, *, database: Database
) -> Sequence[UserSuggestion]:
    """Return some people who could be taken into a team, by the beginning of their names.

    Raises:
        NotFound: no such team for the caller.
        Forbidden: the caller may not change the team.
    """
    with database.read() as connection:
        _get_team(connection, subject, team_id)
        return suggest_members(connection, team_id, beginning) if find_word(beginning) else []


def add_member(
    actor: Actor, team_id: int, *, username: str, role: Role, database: Database, clock: Clock
) -> MemberView:
    """Take a person into a team; an administrator becomes an owner, whatever was asked.

    Raises:
        NotFound: no such team for the caller, or no such user.
        Forbidden: the caller may not change the team.
        Invalid: the person is in it already.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        team = _get_team(connection, actor.subject, team_id)
        lock_team(connection, team_id)
        user = find_user_named(connection, username)
        if user is None:
            raise NotFound("user")
        if is_member(connection, team_id, user.id):
            raise Invalid({"user": ["is already a member of the team"]})
        granted = effective_role(role, administrator=user.admin)
        member_id = insert_member(connection, team_id, user.id, granted, now=clock())
        member = _get(connection, team_id, member_id)
        record(_change(Action.TEAM_MEMBER_ADDED, team, member, after=member.role))
        event = MemberAdded(team.name, member.username, member.role.value, actor=actor.subject.username or None)
        tell(connection, event, about=team.name, now=clock())
        return member


def change_member(
    actor: Actor,
    team_id: int,
    member_id: int,
    *,
    role: Role,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> MemberView:
    """Give a member another role.

    Raises:
        NotFound: no such team for the caller, or no such member.
        Forbidden: the caller may not change the team.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: it would demote the only owner, or an administrator.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        team = _get_team(connection, actor.subject, team_id)
        lock_team(connection, team_id)
        member = _get(connection, team_id, member_id)
        expected(member)
        others = count_other_owners(connection, member)
        check_role_change(member.role, role, administrator=member.admin, other_owners=others)
        update_member(connection, member_id, role, now=clock())
        record(_change(Action.TEAM_MEMBER_CHANGED, team, member, before=member.role, after=role))
        if role is not member.role:
            event = MemberUpdated(team.name, member.username, role.value, actor=actor.subject.username or None)
            tell(connection, event, about=team.name, now=clock())
        return _get(connection, team_id, member_id)


def remove_member(
    actor: Actor,
    team_id: int,
    member_id: int,
    *,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> None:
    """Take a person out of a team.

    Raises:
        NotFound: no such team for the caller, or no such member.
        Forbidden: the caller may not change the team.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: it is the only owner.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        team = _get_team(connection, actor.subject, team_id)
        lock_team(connection, team_id)
        member = _get(connection, team_id, member_id)
        expected(member)
        check_removal(member.role, other_owners=count_other_owners(connection, member))
        delete_member(connection, member_id)
        record(_change(Action.TEAM_MEMBER_REMOVED, team, member, before=member.role))
        event = MemberRemoved(team.name, member.username, actor=actor.subject.username or None)
        tell(connection, event, about=team.name, now=clock())


def _change(
    action: Action, team: TeamView, member: MemberView, *, before: Role | None = None, after: Role | None = None
) -> Change:
    return Change(
        action,
        Ref(team.id, team.name),
        user=Ref(member.user_id, member.username),
        before={"role": before} if before else {},
        after={"role": after} if after else {},
    )


def _get_team(connection: Connection, subject: Subject, team_id: int) -> TeamView:
    # No switch takes this from the owners.
    return get_managed_team(connection, subject, team_id, Operation.CHANGE_MEMBERS, Rules())


def _get(connection: Connection, team_id: int, member_id: int) -> MemberView:
    member = find_member(connection, team_id, member_id)
    if member is None:
        raise NotFound("member")
    return member
