"""Delete a person: what is theirs alone goes with them, what others need gets another owner.

The images of the personal namespace go first, outside of any transaction; everything else goes in one.
Whatever breaks off half-way leaves the account as it was, and the same request goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.accounts import check_user_deletion
from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.decisions import DeletePolicy
from services.auth.domain.errors import MAX_NAMED, Forbidden, Invalid, NotFound
from services.auth.domain.management import NOWHERE, Operation, Rules
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role
from services.auth.storage.departures import Belongings, Membership, count_belongings, list_memberships
from services.auth.storage.departures import delete_user as delete_row
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import Dependants, NamespaceView, count_dependants, update_namespace
from services.auth.storage.teams import (
    delete_member,
    delete_team,
    insert_member,
    is_member,
    lock_team,
    promote_member,
)
from services.auth.storage.users import UserView, count_other_administrators, find_user, find_user_named
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.catalog import Catalog, Deadline, Usage
from services.auth.usecases.change_namespace import get_new_team, note_changes
from services.auth.usecases.delete_namespace import empty_out, remove_namespace
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import get_namespace
from services.auth.usecases.people import shown_fields
from services.auth.usecases.rights import require_right
from shared.api.etags import Expected, anything
from shared.clock import Clock
from shared.contracts.auth_events import MemberAdded, MemberRemoved, MemberUpdated, UserDeleted
from shared.database import Database


@dataclass(frozen=True, slots=True)
class Heirs:
    """What becomes of what a person leaves behind."""

    new_team: str | None = None
    """Name of the team that gets the personal namespace."""
    delete_namespace: bool = False
    """Whether the personal namespace goes, with all images in it."""
    new_owner: str | None = None
    """Username of who gets the teams that would have no owner."""


@dataclass(frozen=True, slots=True)
class UserDeletion:
    """What would go with a person, and what somebody has to settle before."""

    user: UserView
    usage: Usage | None
    """Of the personal namespace; ``None`` for those who have none."""
    dependants: Dependants | None
    """Of the personal namespace, too."""
    belongings: Belongings
    memberships: Sequence[Membership]

    @property
    def ownerless_teams(self) -> list[str]:
        """Names of the teams that would have no owner."""
        return _ownerless(self.memberships)

    @property
    def choices(self) -> list[str]:
        """What is to be said in the request that deletes: ``namespace``, ``new_owner``."""
        holds = self.usage is not None and self.usage.repositories > 0
        return ["namespace"] * holds + ["new_owner"] * bool(self.ownerless_teams)


def preview_user_deletion(subject: Subject, user_id: int, *, catalog: Catalog, database: Database) -> UserDeletion:
    """Tell what would go with a person; delete nothing.

    Raises:
        Forbidden: the caller is neither administrator nor auditor, or it is their own account.
        NotFound: there is no such account.
        Invalid: it is the last enabled administrator.
        CatalogAway: nobody can say what lies in the personal namespace.
    """
    require_right(subject, Operation.SHOW_USERS, NOWHERE, Rules())
    with database.read() as connection:
        user = _get(connection, subject, user_id)
        dependants = count_dependants(connection, user.namespace.id) if user.namespace else None
        belongings, memberships = count_belongings(connection, user_id), list_memberships(connection, user_id)
    return UserDeletion(user, _usage(user, catalog), dependants, belongings, memberships)


def delete_user(
    actor: Actor,
    user_id: int,
    heirs: Heirs,
    *,
    rules: Rules,
    catalog: Catalog,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> None:
    """Delete an account, and settle what it leaves behind.

    Raises:
        Forbidden: the caller is no administrator, it is their own account, or deleting images is switched off.
        NotFound: there is no such account, or no such team.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: it is the last enabled administrator, or something is not settled.
        CatalogAway, NotEmptied, StillEmptying: the account is still there, with what could not be deleted.
    """
    require_right(actor.subject, Operation.MANAGE_USERS, NOWHERE, Rules())
    with database.read() as connection:
        user = _get(connection, actor.subject, user_id)
        expected(user)
        # Before anything is gone: what is refused leaves everything as it was.
        _settle_namespace(connection, actor.subject, heirs)
        heir = _new_owner(connection, user, heirs)
        memberships = list_memberships(connection, user_id)
        home = _home(connection, actor, user, now=clock())
    _check_settled(user, memberships, heirs, heir, catalog)
    if home is not None and heirs.delete_namespace:
        if home.rules(rules).policy.delete is DeletePolicy.NOBODY:
            raise Forbidden("Deleting images is switched off here (PORTUS_DELETE_ENABLED): name a new_team instead.")
        empty_out(home, actor=actor, catalog=catalog, deadline=Deadline())
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        user = _get(connection, actor.subject, user_id)
        expected(user)
        _hand_over_teams(connection, record, user, heirs, actor=actor, now=clock())
        _remove(connection, record, user, heirs, actor=actor, now=clock())


def _get(connection: Connection, subject: Subject, user_id: int) -> UserView:
    user = find_user(connection, user_id)
    if user is None:
        raise NotFound("user")
    others = count_other_administrators(connection, user_id)
    check_user_deletion(subject, user_id, administrator=user.admin, other_administrators=others)
    return user


def _settle_namespace(connection: Connection, subject: Subject, heirs: Heirs) -> None:
    if heirs.new_team is not None and heirs.delete_namespace:
        raise Invalid({"new_team": ["is for a namespace that stays, and delete_namespace for one that goes"]})
    if heirs.new_team is not None:
        get_new_team(connection, subject, heirs.new_team)


def _new_owner(connection: Connection, user: UserView, heirs: Heirs) -> UserView | None:
    if heirs.new_owner is None:
        return None
    heir = find_user_named(connection, heirs.new_owner)
    if heir is None or heir.id == user.id or not heir.enabled or heir.bot:
        raise Invalid({"new_owner": ["must be the username of another person, with an enabled account"]})
    return heir


def _home(connection: Connection, actor: Actor, user: UserView, *, now: datetime) -> NamespaceView | None:
    return get_namespace(connection, actor.subject, user.namespace.id, now=now) if user.namespace else None


def _usage(user: UserView, catalog: Catalog) -> Usage | None:
    # Personal namespaces are in the first registry, which the catalog reads.
    return catalog.find_usage([user.namespace.name])[user.namespace.name] if user.namespace else None


def _ownerless(memberships: Sequence[Membership]) -> list[str]:
    return [one.team for one in memberships if one.only_owner]


def _check_settled(
    user: UserView, memberships: Sequence[Membership], heirs: Heirs, heir: UserView | None, catalog: Catalog
) -> None:
    """Refuse, with all that is missing at once."""
    faults: dict[str, list[str]] = {}
    if heir is None and (teams := _ownerless(memberships)):
        faults["new_owner"] = [_no_owner(user, teams)]
    if user.namespace and heirs.new_team is None and not heirs.delete_namespace:
        usage = _usage(user, catalog)
        if usage is not None and usage.repositories:
            faults["namespace"] = [
                f"{user.namespace.name} holds {usage.repositories} repositories: name the team that gets it "
                "(new_team), or have it deleted with all its images (delete_namespace=true)"
            ]
    if faults:
        raise Invalid(faults)


def _no_owner(user: UserView, teams: Sequence[str]) -> str:
    more = f" and {len(teams) - MAX_NAMED} more" if len(teams) > MAX_NAMED else ""
    return f"{user.username} is the only owner of {', '.join(teams[:MAX_NAMED])}{more}: name who gets them (new_owner)"


def _hand_over_teams(
    connection: Connection, record: Record, user: UserView, heirs: Heirs, *, actor: Actor, now: datetime
) -> None:
    """Give each team that would have no owner to the new one, and take the person out of all."""
    by, heir = actor.subject.username or None, _new_owner(connection, user, heirs)
    # In one order, so that two who do this do not wait for each other.
    for team_id in sorted(one.team_id for one in list_memberships(connection, user.id)):
        lock_team(connection, team_id)
    # Read after the locks: another owner may have gone in between.
    memberships = list_memberships(connection, user.id)
    if heir is None and (teams := _ownerless(memberships)):
        raise Invalid({"new_owner": [_no_owner(user, teams)]})
    for one in memberships:
        if heir is not None and one.only_owner:
            _make_owner(connection, record, one, heir, by=by, now=now)
        delete_member(connection, one.member_id)
        team, person = Ref(one.team_id, one.team), Ref(user.id, user.username)
        record(Change(Action.TEAM_MEMBER_REMOVED, team, user=person, before={"role": one.role}))
        tell(connection, MemberRemoved(one.team, user.username, actor=by), about=one.team, now=now)


def _make_owner(
    connection: Connection, record: Record, one: Membership, heir: UserView, *, by: str | None, now: datetime
) -> None:
    team, person, after = Ref(one.team_id, one.team), Ref(heir.id, heir.username), {"role": Role.OWNER}
    if is_member(connection, one.team_id, heir.id):
        before = {"role": promote_member(connection, one.team_id, heir.id, now=now)}
        record(Change(Action.TEAM_MEMBER_CHANGED, team, user=person, before=before, after=after))
        updated = MemberUpdated(one.team, heir.username, Role.OWNER.value, actor=by)
        tell(connection, updated, about=one.team, now=now)
    else:
        insert_member(connection, one.team_id, heir.id, Role.OWNER, now=now)
        record(Change(Action.TEAM_MEMBER_ADDED, team, user=person, after=after))
        tell(connection, MemberAdded(one.team, heir.username, Role.OWNER.value, actor=by), about=one.team, now=now)


def _remove(
    connection: Connection, record: Record, user: UserView, heirs: Heirs, *, actor: Actor, now: datetime
) -> None:
    """Delete the account, then the namespace that it pointed at, or hand that over; then the team behind it."""
    home = _home(connection, actor, user, now=now)
    delete_row(connection, user.id)
    if home is not None and heirs.new_team is not None:
        target = get_new_team(connection, actor.subject, heirs.new_team)
        update_namespace(connection, home.id, {"team_id": target.id}, now=now)
        after = get_namespace(connection, actor.subject, home.id, now=now)
        note_changes(connection, record, home, after, actor=actor, now=now)
    elif home is not None:
        remove_namespace(connection, record, home, actor=actor, now=now)
    if home is not None:
        delete_team(connection, home.team.id)
    record(Change(Action.USER_DELETED, Ref(user.id, user.username), before=shown_fields(user)))
    event = UserDeleted(user.username, actor=actor.subject.username or None)
    tell(connection, event, about=user.username, now=now)
