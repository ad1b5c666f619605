"""Credentials of machines, grants and freezes, put where the APIs would put them."""

import secrets
from dataclasses import dataclass
from typing import Any

from services.auth.domain.grants import dump_actions
from services.auth.domain.secrets import ENTROPY_BYTES, SecretKind, new_secret, secret_hash
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import application_tokens, freezes, grants, robot_secrets, robots
from services.auth.storage.users import UserView
from tests.support.auth import AuthService


@dataclass(frozen=True)
class Machine:
    """With what a machine logs in."""

    id: int
    """Of the application token, or of the robot."""
    username: str
    secret: str
    secret_id: int = 0
    """Of a robot's secret."""


def make_token(auth: AuthService, user: UserView, **fields: Any) -> Machine:
    """Make an application token of a person."""
    secret = new_secret(SecretKind.APPLICATION_TOKEN, secrets.token_bytes(ENTROPY_BYTES))
    row = {"name": "ci", "created_by": user.username, "secret_hash": secret_hash(secret), "user_id": user.id}
    with auth.database.write() as connection:
        id = insert_row(connection, application_tokens, {**row, "created_at": auth.clock(), **fields})
    return Machine(id, user.username, secret)


def make_robot(auth: AuthService, name: str = "ci", **fields: Any) -> Machine:
    """Make a robot of the installation with one secret."""
    secret, now = new_secret(SecretKind.ROBOT, secrets.token_bytes(ENTROPY_BYTES)), auth.clock()
    username = f"robot+{name}"
    row = {"username": username, "name": name, "description": "", "enabled": True, "created_by": "root"}
    with auth.database.write() as connection:
        id = insert_row(connection, robots, {**row, "created_at": now, "updated_at": now, **fields})
        hashed = {"robot_id": id, "secret_hash": secret_hash(secret), "created_at": now}
        secret_id = insert_row(connection, robot_secrets, hashed)
    return Machine(id, username, secret, secret_id)


def make_grant(auth: AuthService, *actions: str, pattern: str = "*", **fields: Any) -> int:
    """Grant actions to ``user_id``, ``team_id`` or ``robot_id``; everywhere, unless a ``namespace_id`` is given."""
    row = {"pattern": pattern, "actions": dump_actions(actions), "reason": "", "created_by": "root"}
    times = {"created_at": auth.clock(), "updated_at": auth.clock()}
    with auth.database.write() as connection:
        return insert_row(connection, grants, {**row, "from_administrator": True, **times, **fields})


def freeze(auth: AuthService, namespace_id: int, reason: str, repository: str = "") -> None:
    """Freeze a namespace or one repository of it."""
    row = {"namespace_id": namespace_id, "repository": repository, "reason": reason, "created_by": "root"}
    with auth.database.write() as connection:
        insert_row(connection, freezes, {**row, "created_at": auth.clock()})
