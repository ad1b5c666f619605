"""Rotate a robot's secrets: the old one goes on working until every user of the robot has the new one."""

from dataclasses import dataclass
from datetime import timedelta

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.lifetimes import Lifetime
from services.auth.domain.robots import MAX_LIVE_SECRETS
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.robots import RobotView, SecretView, delete_secrets, end_secret
from services.auth.usecases.audit import audited
from services.auth.usecases.give import Scene
from services.auth.usecases.robots import (
    add_secret,
    get_managed_robot,
    get_robot,
    robot_change,
    show_robot,
    tell_of_robot,
)
from shared.api.etags import Expected, anything
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database


@dataclass(frozen=True, slots=True)
class MadeSecret:
    """A new secret of a robot: by what it may be named, and itself, which is nowhere else."""

    view: SecretView
    secret: Secret


def create_secret(
    actor: Actor,
    robot_id: int,
    lifetime: Lifetime,
    *,
    expire_old_in: timedelta | None,
    database: Database,
    clock: Clock,
) -> MadeSecret:
    """Give a robot another secret; those of it that have ended are deleted.

    Args:
        expire_old_in: when the old one is to end, from now on; ``None``: as it was.

    Raises:
        NotFound: there is no such robot that the caller manages.
        Invalid: it has two that are good, or the new one would be over already.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        robot = get_managed_robot(scene, robot_id)
        _make_room(scene, robot, expire_old_in)
        secret_id, secret = add_secret(scene, robot_id, expires_at=lifetime.end(scene.now))
        robot = get_robot(scene, robot_id)
        made = _get(robot, secret_id)
        record(robot_change(Action.ROBOT_SECRET_ADDED, robot, after={"expires_at": made.expires_at}))
        tell_of_robot(scene, robot)
    return MadeSecret(made, secret)


def show_secret(subject: Subject, robot_id: int, secret_id: int, *, database: Database, clock: Clock) -> SecretView:
    """Return what may be known of a secret.

    Raises:
        NotFound: there is no such robot or secret for the caller.
    """
    return _get(show_robot(subject, robot_id, database=database, clock=clock), secret_id)


def revoke_secret(
    actor: Actor,
    robot_id: int,
    secret_id: int,
    *,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> None:
    """Delete a secret of a robot; it opens nothing from that moment on.

    Raises:
        NotFound: there is no such robot or secret that the caller manages.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        scene = Scene(connection, record, actor, clock())
        robot = get_managed_robot(scene, robot_id)
        secret = _get(robot, secret_id)
        expected(secret)
        delete_secrets(connection, [secret_id])
        record(robot_change(Action.ROBOT_SECRET_REVOKED, robot, before={"expires_at": secret.expires_at}))
        tell_of_robot(scene, get_robot(scene, robot_id))


def _make_room(scene: Scene, robot: RobotView, expire_old_in: timedelta | None) -> None:
    delete_secrets(scene.connection, [secret.id for secret in robot.secrets if secret.expired])
    live = [secret for secret in robot.secrets if not secret.expired]
    if expire_old_in is not None and not expire_old_in:
        delete_secrets(scene.connection, [secret.id for secret in live])
        return
    if len(live) >= MAX_LIVE_SECRETS:
        raise Invalid({"secrets": [f"{MAX_LIVE_SECRETS} are good already: revoke the one that nobody uses any more"]})
    for secret in live if expire_old_in else ():
        end = scene.now + (expire_old_in or timedelta())
        end_secret(scene.connection, secret.id, expires_at=min(end, secret.expires_at or end))


def _get(robot: RobotView, secret_id: int) -> SecretView:
    found = next((secret for secret in robot.secrets if secret.id == secret_id), None)
    if found is None:
        raise NotFound("secret")
    return found
