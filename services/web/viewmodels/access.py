"""Grants and robots in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, lazy_gettext

from services.web.clients.access import Grant, Robot, RobotSecret
from services.web.viewmodels.times import TimeText, present_moment, present_time

ACTIONS = {"pull": lazy_gettext("pull"), "push": lazy_gettext("push"), "delete": lazy_gettext("delete")}
"""What can be granted here."""

GRANTEES = {"user": lazy_gettext("a person"), "team": lazy_gettext("a team"), "robot": lazy_gettext("a robot")}


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as the list shows it."""

    id: int
    kind: str
    name: str
    actions: str
    pattern: str
    until: TimeText | None
    expired: bool
    reason: str
    created_by: str
    void: Sequence[str]


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret as a robot's page shows it."""

    id: int
    created: TimeText | None
    until: TimeText | None
    expired: bool
    used: TimeText | None


@dataclass(frozen=True, slots=True)
class RobotPage:
    """A robot."""

    id: int
    username: str
    name: str
    description: str
    enabled: bool
    expired: bool
    until: TimeText | None
    may: Sequence[tuple[str, str]]
    """Actions, and the pattern that they hold on."""
    addresses: Sequence[str]
    secrets: Sequence[SecretRow]
    used: TimeText | None
    used_from: str | None
    created_by: str


def present_grants(grants: Sequence[Grant], now: datetime) -> list[GrantRow]:
    """Turn grants into rows."""
    return [
        GrantRow(
            id=grant.id,
            kind=str(GRANTEES.get(grant.grantee.kind, grant.grantee.kind)),
            name=grant.grantee.name,
            actions=grant.role or ", ".join(grant.actions),
            pattern=grant.pattern,
            until=present_moment(grant.expires_at, now),
            expired=grant.expired,
            reason=grant.reason,
            created_by=grant.created_by,
            void=[
                gettext("%(action)s is void: %(reason)s", action=name, reason=why) for name, why in grant.void.items()
            ],
        )
        for grant in grants
    ]


def present_robots(robots: Sequence[Robot], now: datetime) -> list[RobotPage]:
    """Turn robots into rows."""
    return [present_robot(robot, now) for robot in robots]


def present_robot(robot: Robot, now: datetime) -> RobotPage:
    """Turn a robot into what its page shows."""
    return RobotPage(
        id=robot.id,
        username=robot.username,
        name=robot.name,
        description=robot.description,
        enabled=robot.enabled,
        expired=robot.expired,
        until=present_moment(robot.expires_at, now),
        may=[(", ".join(one.actions), one.pattern) for one in robot.permissions],
        addresses=robot.allowed_addresses or (),
        secrets=[_secret(secret, now) for secret in robot.secrets],
        used=present_time(robot.last_used_at, now),
        used_from=robot.last_used_address,
        created_by=robot.created_by,
    )


def _secret(secret: RobotSecret, now: datetime) -> SecretRow:
    return SecretRow(
        id=secret.id,
        created=present_time(secret.created_at, now),
        until=present_moment(secret.expires_at, now),
        expired=secret.expired,
        used=present_time(secret.last_used_at, now),
    )
