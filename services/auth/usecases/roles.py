"""Make, show, change and delete custom roles; administrators do, and everybody who has signed in sees them."""

from typing import Any

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.grants import check_actions, dump_actions
from services.auth.domain.roles import MAX_REVOKED_WITH_ROLE, MAX_ROLES, NewRole, RoleChange, check_role_name
from services.auth.storage.grants import list_grants_of_role
from services.auth.storage.locks import Lock, hold
from services.auth.storage.roles import (
    RoleView,
    count_roles,
    delete_role,
    find_role,
    find_role_named,
    insert_role,
    list_roles,
    update_role,
)
from services.auth.usecases.audit import audited
from services.auth.usecases.give import Scene, take_back
from services.auth.usecases.rights import require_administrator
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.database import Database


def show_roles(request: ListRequest, *, database: Database) -> Page[RoleView]:
    """Return a page of all roles, those that are built in first."""
    with database.read() as connection:
        return list_roles(connection, request)


def show_role(role_id: int, *, database: Database) -> RoleView:
    """Return a custom role.

    Raises:
        NotFound: there is none.
    """
    with database.read() as connection:
        return _get(connection, role_id)


def create_role(actor: Actor, new: NewRole, *, database: Database, clock: Clock) -> RoleView:
    """Make a custom role.

    Raises:
        Forbidden: the caller is no administrator.
        Invalid: a value breaks a rule, the name is taken, or there are too many.
    """
    require_administrator(actor.subject)
    check_role_name(new.name)
    check_actions(new.actions)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        _refuse_taken(connection, new.name)
        if count_roles(connection) >= MAX_ROLES:
            raise Invalid({"name": [f"there are {MAX_ROLES} roles, and no more are possible: delete one"]})
        values = {"name": new.name, "description": new.description, "actions": dump_actions(new.actions)}
        role = _get(connection, insert_role(connection, values, now=clock()))
        record(Change(Action.ROLE_CREATED, Ref(role.id or 0, role.name), after=_shown(role)))
    return role


def change_role(
    actor: Actor, role_id: int, change: RoleChange, *, expected: Expected = anything, database: Database, clock: Clock
) -> RoleView:
    """Change a custom role, and with it what all grants give that carry it.

    Raises:
        Forbidden: the caller is no administrator.
        NotFound: there is no such role.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: a value breaks a rule, or the name is taken.
    """
    require_administrator(actor.subject)
    if change.name is not None:
        check_role_name(change.name)
    if change.actions is not None:
        check_actions(change.actions)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        before = _get(connection, role_id)
        expected(before)
        if change.name is not None and change.name != before.name:
            _refuse_taken(connection, change.name)
        update_role(connection, role_id, _columns(change), now=clock())
        after = _get(connection, role_id)
        concerned: Fields = {"grants": after.grants_count} if before.actions != after.actions else {}
        record(
            Change(
                Action.ROLE_UPDATED,
                Ref(role_id, after.name),
                before=_shown(before),
                after={**_shown(after), **concerned},
            )
        )
    return after


def remove_role(
    actor: Actor,
    role_id: int,
    *,
    force: bool,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> None:
    """Delete a custom role.

    Args:
        force: whether the grants that carry it are revoked with it.

    Raises:
        Forbidden: the caller is no administrator.
        NotFound: there is no such role.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: grants carry it; the text says how many.
    """
    require_administrator(actor.subject)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        role = _get(connection, role_id)
        expected(role)
        _check_unused(role, force=force)
        scene = Scene(connection, record, actor, clock())
        take_back(scene, *list_grants_of_role(connection, role_id, limit=MAX_REVOKED_WITH_ROLE, now=scene.now))
        delete_role(connection, role_id)
        record(Change(Action.ROLE_DELETED, Ref(role_id, role.name), before=_shown(role)))


def _check_unused(role: RoleView, *, force: bool) -> None:
    if role.grants_count and not force:
        fault = (
            f"{role.grants_count} grants carry it (GET /api/v1/grants?role=): revoke them, "
            "or say force=true to revoke them with it"
        )
        raise Invalid({"role": [fault]})
    if role.grants_count > MAX_REVOKED_WITH_ROLE:
        raise Invalid({"role": [f"more than {MAX_REVOKED_WITH_ROLE} grants carry it: revoke some of them first"]})


def _refuse_taken(connection: Connection, name: str) -> None:
    if find_role_named(connection, name) is not None:
        raise Invalid({"name": ["has already been taken"]})


def _get(connection: Connection, role_id: int) -> RoleView:
    role = find_role(connection, role_id)
    if role is None:
        raise NotFound("role")
    return role


def _columns(change: RoleChange) -> dict[str, Any]:
    actions = None if change.actions is None else dump_actions(change.actions)
    wanted = {"name": change.name, "description": change.description, "actions": actions}
    return {name: value for name, value in wanted.items() if value is not None}


def _shown(role: RoleView) -> Fields:
    return {"name": role.name, "description": role.description, "actions": role.actions}
