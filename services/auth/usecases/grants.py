"""Give, show, change and revoke grants."""

from typing import Any

from services.auth.domain.actors import Actor
from services.auth.domain.errors import Forbidden, NotFound
from services.auth.domain.grants import GrantChange, Grantee, GranteeKind, NewGrant
from services.auth.domain.management import Operation, Rules
from services.auth.domain.subjects import RobotHome, Subject
from services.auth.storage.grants import GranteeRef, GrantView, find_grant, list_grants, update_grant
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import NamespaceView, find_namespace
from services.auth.storage.places import NamespacePlace
from services.auth.storage.registries import find_registry_named
from services.auth.storage.robots import find_robot, find_robot_named
from services.auth.storage.teams import find_team_named
from services.auth.storage.users import find_user_named
from services.auth.usecases.audit import audited
from services.auth.usecases.give import Scene, get_grant, give, load_gift, take_back, tell_of_change
from services.auth.usecases.namespaces import get_managed_namespace
from services.auth.usecases.rights import require_administrator
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.database import Database


def create_grant(actor: Actor, new: NewGrant, *, database: Database, clock: Clock) -> GrantView:
    """Give a grant: in a namespace for those who manage it, in many for administrators.

    Raises:
        NotFound: there is no such namespace for the caller, or no such registry or grantee.
        Forbidden: the caller does not manage the namespace, or is no administrator.
        Invalid: a value breaks a rule, it is there already, or there are too many.
    """
    subject = actor.subject
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        if new.namespace_id is None:
            require_administrator(subject)
            registry_id = None if new.registry is None else find_registry_named(connection, new.registry).id
            return give(
                scene, _get_grantee(scene, new.grantee, None), new.terms, namespace=None, registry_id=registry_id
            )
        namespace = get_managed_namespace(
            connection, subject, new.namespace_id, Operation.GIVE_GRANT, Rules(), now=scene.now
        )
        where = NamespacePlace(namespace.id, namespace.name, namespace.registry_host)
        return give(scene, _get_grantee(scene, new.grantee, namespace), new.terms, namespace=where)


def show_grants(
    subject: Subject, request: ListRequest, *, namespace_id: int | None = None, database: Database, clock: Clock
) -> Page[GrantView]:
    """Return a page of the grants that the caller gave, could give, or has.

    Args:
        namespace_id: only those that hold in this namespace only.

    Raises:
        NotFound: the caller may not see the namespace.
    """
    with database.read() as connection:
        if namespace_id is not None and find_namespace(connection, subject, namespace_id, now=clock()) is None:
            raise NotFound("namespace")
        return list_grants(connection, subject, request, namespace_id=namespace_id, now=clock())


def show_grant(subject: Subject, grant_id: int, *, database: Database, clock: Clock) -> GrantView:
    """Return a grant that the caller gave, could give, or has.

    Raises:
        NotFound: there is none.
    """
    with database.read() as connection:
        grant = find_grant(connection, subject, grant_id, now=clock())
    if grant is None:
        raise NotFound("grant")
    return grant


def change_grant(
    actor: Actor, grant_id: int, change: GrantChange, *, expected: Expected = anything, database: Database, clock: Clock
) -> GrantView:
    """Change what a grant gives, until when, or why.

    Whoever changes what it allows, or until when, gives it anew: where the push policy lets only
    administrators push, it counts by who that is.

    Raises:
        NotFound: there is none that the caller may know of.
        Forbidden: the caller could not give it.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: a value breaks a rule.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        before = get_grant(scene, grant_id)
        _require_giver(scene, before)
        expected(before)
        update_grant(connection, grant_id, _columns(scene, change), now=scene.now)
        after = get_grant(scene, grant_id)
        tell_of_change(scene, before, after)
    return after


def revoke_grant(
    actor: Actor, grant_id: int, *, expected: Expected = anything, database: Database, clock: Clock
) -> None:
    """Take a grant back; it allows nothing from the next token on.

    Raises:
        NotFound: there is none that the caller may know of.
        Forbidden: the caller could not give it.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        grant = get_grant(scene, grant_id)
        _require_giver(scene, grant)
        expected(grant)
        take_back(scene, grant)


def _require_giver(scene: Scene, grant: GrantView) -> None:
    """Let only those pass who could give a grant.

    Raises:
        Forbidden: for anybody else.
    """
    connection, subject = scene.connection, scene.actor.subject
    if subject.administrator:
        return
    if grant.namespace is not None:
        get_managed_namespace(connection, subject, grant.namespace.id, Operation.GIVE_GRANT, Rules(), now=scene.now)
    elif (
        grant.grantee.kind is not GranteeKind.ROBOT
        or find_robot(connection, subject, grant.grantee.id, now=scene.now) is None
    ):
        raise Forbidden("Only administrators may change a grant that holds in many namespaces.")


def _get_grantee(scene: Scene, wanted: Grantee, namespace: NamespaceView | None) -> GranteeRef:
    """Look up who is to get a grant, by the exact name.

    Raises:
        NotFound: there is nobody of that name. A hidden team, and a robot that is at home elsewhere,
            are answered like one that does not exist.
    """
    id_ = _find_id(scene, wanted, namespace)
    if id_ is None:
        raise NotFound(_NOBODY[wanted.kind])
    return GranteeRef(wanted.kind, id_, wanted.name)


_NOBODY = {
    GranteeKind.USER: "user",
    GranteeKind.TEAM: "team",
    GranteeKind.ROBOT: "robot to which this would be of use",
}


def _find_id(scene: Scene, wanted: Grantee, namespace: NamespaceView | None) -> int | None:
    connection, name = scene.connection, wanted.name
    match wanted.kind:
        case GranteeKind.USER:
            user = find_user_named(connection, name)
            return None if user is None else user.id
        case GranteeKind.TEAM:
            team = find_team_named(connection, scene.actor.subject, name)
            return None if team is None else team.id
        case GranteeKind.ROBOT:
            at_home = RobotHome(namespace.id, namespace.team.id) if namespace else None
            return find_robot_named(connection, name, at_home)


def _columns(scene: Scene, change: GrantChange) -> dict[str, Any]:
    columns: dict[str, Any] = {} if change.reason is None else {"reason": change.reason}
    if change.gift is not None:
        columns |= load_gift(scene.connection, change.gift).columns
    if change.lifetime is not None:
        columns["expires_at"] = change.lifetime.end(scene.now)
    if change.gives_anew:
        columns["from_administrator"] = scene.actor.subject.administrator
    return columns
