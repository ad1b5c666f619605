"""Make, show, change and delete robot accounts; for those who manage what they belong to."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Forbidden, Invalid, NotFound
from services.auth.domain.grants import Gift, GranteeKind, Terms
from services.auth.domain.management import Operation, Rules
from services.auth.domain.patterns import everything_in
from services.auth.domain.robots import (
    Allowed,
    NewRobot,
    Permission,
    RobotChange,
    check_robot_name,
    check_room,
    parse_networks,
    robot_username,
)
from services.auth.domain.secrets import ENTROPY_BYTES, SecretKind, new_secret, secret_hash
from services.auth.domain.subjects import Subject
from services.auth.storage.grants import GranteeRef, GrantView
from services.auth.storage.locks import Lock, hold
from services.auth.storage.logins import delete_logins_of_robot
from services.auth.storage.places import NamespacePlace
from services.auth.storage.robots import (
    Home,
    RobotTeamRef,
    RobotView,
    delete_robot,
    find_robot,
    home_columns,
    insert_robot,
    insert_secret,
    list_robots,
    names_at,
    taken_usernames,
    update_robot,
)
from services.auth.storage.teams import find_team_named
from services.auth.usecases.audit import audited
from services.auth.usecases.give import Scene, give, take_back
from services.auth.usecases.messages import tell
from services.auth.usecases.namespaces import get_managed_namespace
from services.auth.usecases.rights import require_administrator
from services.auth.usecases.teams import get_managed_team
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.config import Secret
from shared.contracts.events import RobotChanged, RobotCreated, RobotDeleted
from shared.database import Database


@dataclass(frozen=True, slots=True)
class MadeRobot:
    """A new robot and its first secret, which is nowhere else."""

    robot: RobotView
    secret: Secret


def create_robot(actor: Actor, new: NewRobot, *, database: Database, clock: Clock) -> MadeRobot:
    """Make a robot, with its first secret and its permissions.

    Raises:
        NotFound: there is no such namespace or team for the caller.
        Forbidden: the caller does not manage it; or, for the installation, is no administrator.
        Invalid: a value breaks a rule, the name is taken, or there are too many.
    """
    check_robot_name(new.name)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        home = _find_home(scene, new)
        check_room(names_at(connection, home), new.name, has_home=home.id is not None)
        robot_id = insert_robot(connection, _columns(scene, new, home), now=scene.now)
        secret = add_secret(scene, robot_id, expires_at=None)[1]
        robot = get_robot(scene, robot_id)
        record(robot_change(Action.ROBOT_CREATED, robot, after=shown_fields(robot)))
        tell(connection, RobotCreated(**_told(scene, robot)), about=robot.username, now=scene.now)
        _give_permissions(scene, robot, new.permissions)
        return MadeRobot(get_robot(scene, robot_id), secret)


def show_robots(subject: Subject, request: ListRequest, *, database: Database, clock: Clock) -> Page[RobotView]:
    """Return a page of the robots of what the caller manages; administrators and auditors get all."""
    with database.read() as connection:
        return list_robots(connection, subject, request, now=clock())


def show_robot(subject: Subject, robot_id: int, *, database: Database, clock: Clock) -> RobotView:
    """Return a robot, to those who manage what it belongs to, administrators and auditors.

    Raises:
        NotFound: to anybody else, as if there were none.
    """
    with database.read() as connection:
        return _get(find_robot(connection, subject, robot_id, now=clock()))


def change_robot(
    actor: Actor, robot_id: int, change: RobotChange, *, expected: Expected = anything, database: Database, clock: Clock
) -> RobotView:
    """Change a robot.

    Raises:
        NotFound: there is none that the caller manages.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: a value breaks a rule.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        before = get_managed_robot(scene, robot_id)
        expected(before)
        update_robot(connection, robot_id, _changed_columns(scene, change), now=scene.now)
        if change.enabled is False:
            delete_logins_of_robot(connection, robot_id)
        if change.permissions is not None:
            _replace_permissions(scene, before, change.permissions)
        after = get_robot(scene, robot_id)
        old, new = shown_fields(before), shown_fields(after)
        record(robot_change(Action.ROBOT_UPDATED, after, before=old, after=new))
        if old != new:
            tell_of_robot(scene, after)
    return after


def remove_robot(
    actor: Actor, robot_id: int, *, expected: Expected = anything, database: Database, clock: Clock
) -> None:
    """Delete a robot with its secrets and grants; it opens nothing from that moment on.

    Raises:
        NotFound: there is none that the caller manages.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        robot = get_managed_robot(scene, robot_id)
        expected(robot)
        take_back(scene, *robot.permissions)
        delete_robot(connection, robot_id)
        record(robot_change(Action.ROBOT_DELETED, robot, before=shown_fields(robot)))
        tell(connection, RobotDeleted(**_told(scene, robot)), about=robot.username, now=scene.now)


def get_robot(scene: Scene, robot_id: int) -> RobotView:
    """Return a robot that the actor may see.

    Raises:
        NotFound: there is none.
    """
    return _get(find_robot(scene.connection, scene.actor.subject, robot_id, now=scene.now))


def get_managed_robot(scene: Scene, robot_id: int) -> RobotView:
    """Return a robot that the actor may change.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: they may only see it.
    """
    robot = get_robot(scene, robot_id)
    # Whoever sees one manages what it belongs to, or sees everything.
    if scene.actor.subject.auditor:
        raise Forbidden("An auditor sees everything and changes nothing.")
    return robot


def add_secret(scene: Scene, robot_id: int, *, expires_at: datetime | None) -> tuple[int, Secret]:
    """Insert a new secret of a robot; return its id and the secret itself."""
    secret = new_secret(SecretKind.ROBOT, secrets.token_bytes(ENTROPY_BYTES))
    secret_id = insert_secret(scene.connection, robot_id, secret_hash(secret), expires_at=expires_at, now=scene.now)
    return secret_id, Secret(secret)


def tell_of_robot(scene: Scene, robot: RobotView) -> None:
    """Tell the others that a robot is different."""
    tell(scene.connection, RobotChanged(**_told(scene, robot)), about=robot.username, now=scene.now)


def robot_change(
    action: Action, robot: RobotView, *, before: Fields | None = None, after: Fields | None = None
) -> Change:
    """Describe what has become of a robot."""
    namespace, team = robot.home.namespace, robot.home.team
    return Change(
        action,
        Ref(robot.id, robot.username),
        namespace=Ref(namespace.id, namespace.name) if namespace else None,
        team=Ref(team.id, team.name) if team else None,
        before=before or {},
        after=after or {},
    )


def _get(robot: RobotView | None) -> RobotView:
    if robot is None:
        raise NotFound("robot")
    return robot


def _find_home(scene: Scene, new: NewRobot) -> Home:
    """Look up what a robot is to belong to.

    Raises:
        NotFound, Forbidden: the caller does not see it, or does not manage it.
        Invalid: it is to belong to two.
    """
    connection, subject = scene.connection, scene.actor.subject
    if new.namespace_id is not None and new.team is not None:
        raise Invalid({"team": ["a robot belongs to a namespace or to a team"]})
    if new.namespace_id is not None:
        namespace = get_managed_namespace(
            connection, subject, new.namespace_id, Operation.MANAGE_ROBOTS, Rules(), now=scene.now
        )
        return Home(namespace=NamespacePlace(namespace.id, namespace.name, namespace.registry_host))
    if new.team is None:
        require_administrator(subject)
        return Home()
    named = find_team_named(connection, subject, new.team)
    if named is None:
        raise NotFound("team")
    team = get_managed_team(connection, subject, named.id, Operation.MANAGE_ROBOTS, Rules())
    return Home(team=RobotTeamRef(team.id, team.name))


def _columns(scene: Scene, new: NewRobot, home: Home) -> dict[str, Any]:
    return {
        "username": _free_username(scene.connection, new.name, home),
        "name": new.name,
        "description": new.description,
        **home_columns(home),
        "expires_at": new.lifetime.end(scene.now),
        "allowed_addresses": _networks(new.allowed),
        "created_by": scene.actor.subject.username,
    }


def _free_username(connection: Connection, name: str, home: Home) -> str:
    namespace = home.namespace.name if home.namespace else None
    team = home.team.name if home.team else None
    # Another home may be called alike once it is written as a part of a username.
    candidates = [robot_username(name, namespace=namespace, team=team, suffix=suffix) for suffix in (None, home.id)]
    taken = taken_usernames(connection, candidates)
    free = next((username for username in candidates if username not in taken), None)
    if free is None:
        raise Invalid({"name": ["has already been taken"]})
    return free


def _networks(allowed: Allowed) -> list[str] | None:
    return None if allowed.networks is None else list(parse_networks(allowed.networks))


def _changed_columns(scene: Scene, change: RobotChange) -> dict[str, Any]:
    wanted = {"description": change.description, "enabled": change.enabled}
    columns: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if change.lifetime is not None:
        columns["expires_at"] = change.lifetime.end(scene.now)
    if change.allowed is not None:
        columns["allowed_addresses"] = _networks(change.allowed)
    return columns


def _give_permissions(scene: Scene, robot: RobotView, permissions: Iterable[Permission]) -> None:
    for number, permission in enumerate(permissions, start=1):
        try:
            give(scene, _as_grantee(robot), Terms(permission.gift, permission.pattern), namespace=robot.home.namespace)
        except Invalid as fault:
            texts = [f"number {number}: {field} {text}" for field, found in fault.errors.items() for text in found]
            raise Invalid({"permissions": texts}) from fault


def _replace_permissions(scene: Scene, robot: RobotView, wanted: Sequence[Permission]) -> None:
    """Give what is not there yet, take back what is not wanted, and leave alone what others gave elsewhere."""
    keys = {_key_of_wanted(permission, robot.home) for permission in wanted}
    own = [grant for grant in robot.permissions if grant.namespace == robot.home.namespace and not _is_partial(grant)]
    kept = {_key(grant) for grant in own if _key(grant) in keys and not grant.expired}
    take_back(scene, *(grant for grant in own if _key(grant) not in kept or grant.expired))
    missing = [permission for permission in wanted if _key_of_wanted(permission, robot.home) not in kept]
    _give_permissions(scene, robot, missing)


def _is_partial(grant: GrantView) -> bool:
    """Tell a grant that holds in one registry of several, which is given elsewhere."""
    return grant.namespace is None and grant.registry is not None


def _key(grant: GrantView) -> tuple[str, Gift]:
    return grant.pattern, Gift(role=grant.role) if grant.role else Gift(grant.actions)


def _key_of_wanted(permission: Permission, home: Home) -> tuple[str, Gift]:
    default = everything_in(home.namespace.name) if home.namespace else ""
    return permission.pattern or default, permission.gift


def _as_grantee(robot: RobotView) -> GranteeRef:
    return GranteeRef(GranteeKind.ROBOT, robot.id, robot.username)


def _told(scene: Scene, robot: RobotView) -> dict[str, Any]:
    namespace, team = robot.home.namespace, robot.home.team
    return {
        "username": robot.username,
        "namespace": namespace.name if namespace else None,
        "team": team.name if team else None,
        "expires_at": robot.expires_at.isoformat() if robot.expires_at else None,
        "actor": scene.actor.subject.username,
    }


def shown_fields(robot: RobotView) -> Fields:
    """Return what the audit trail shows of a robot."""
    return {
        "name": robot.name,
        "description": robot.description,
        "enabled": robot.enabled,
        "expires_at": robot.expires_at,
        "allowed_addresses": robot.allowed_addresses,
        "home": str(robot.home),
    }
