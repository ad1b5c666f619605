"""Robot accounts: what they are called, and from where they may be used."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

from services.auth.domain.errors import Invalid
from services.auth.domain.grants import Gift
from services.auth.domain.lifetimes import FOR_EVER, Lifetime
from shared.oci.names import is_name_component

ROBOT_PREFIX = "robot+"
"""Begins the username of every robot; no person may take such a name."""

MAX_ROBOT_NAME_LENGTH = 64
MAX_HOME_LENGTH = 56
"""Longest part of a robot's username that tells what it belongs to: the whole is no longer than a person's."""
MAX_ALLOWED_ADDRESSES = 50
MAX_LIVE_SECRETS = 2
"""Two, so that the old secret works until every user of the robot has the new one."""
MAX_ROBOTS_AT_HOME = 100
"""Most robots of one namespace, or of one team."""
MAX_ROBOTS_OF_INSTALLATION = 1000
"""Most robots that belong to neither."""
MAX_PERMISSIONS = 50
"""Most permissions that are given to a robot together with it."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a robot may do: actions, or a custom role, on a repository pattern."""

    gift: Gift
    pattern: str | None = None
    """``None``: everything in the namespace that it belongs to."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """From where a robot may be used."""

    networks: tuple[str, ...] | None
    """``None``: every address is welcome."""


EVERYWHERE = Allowed(None)


@dataclass(frozen=True, slots=True)
class NewRobot:
    """A robot that somebody wants to make, for a namespace, for a team, or for the installation."""

    name: str
    description: str = ""
    namespace_id: int | None = None
    team: str | None = None
    lifetime: Lifetime = FOR_EVER
    allowed: Allowed = EVERYWHERE
    permissions: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class RobotChange:
    """What is to be different about a robot; ``None`` leaves it as it is."""

    description: str | None = None
    enabled: bool | None = None
    lifetime: Lifetime | None = None
    allowed: Allowed | None = None
    permissions: tuple[Permission, ...] | None = None


def is_robot_username(username: str) -> bool:
    """Tell whether a name can only be a robot's."""
    return username.lower().startswith(ROBOT_PREFIX)


def robot_username(
    name: str, *, namespace: str | None = None, team: str | None = None, suffix: int | None = None
) -> str:
    """Return the username of a robot: ``robot+ci``, ``robot+team-a/ci`` or ``robot+@platform/ci``.

    Args:
        name: see ``check_robot_name``.
        namespace: name of the namespace that it belongs to.
        team: name of the team that it belongs to; what a username cannot hold becomes a dash.
        suffix: what tells the home from another one that is called alike: ``robot+@platform-7/ci``.
    """
    if namespace is not None:
        return f"{ROBOT_PREFIX}{_cut(namespace or 'global', suffix)}/{name}"
    if team is not None:
        slug = re.sub(r"[^a-z0-9]+", "-", team.lower()).strip("-")
        return f"{ROBOT_PREFIX}@{_cut(slug or 'team', suffix)}/{name}"
    return f"{ROBOT_PREFIX}{name}"


def _cut(home: str, suffix: int | None) -> str:
    end = "" if suffix is None else f"-{suffix}"
    return home[: MAX_HOME_LENGTH - len(end)] + end


def check_robot_name(name: str) -> None:
    """Check the name of a robot that somebody wants to make.

    Raises:
        Invalid: it is not one component of the distribution's grammar, or too long.
    """
    if len(name) > MAX_ROBOT_NAME_LENGTH or not is_name_component(name):
        fault = f"must have 1 to {MAX_ROBOT_NAME_LENGTH} lower-case letters and digits, with '.', '_' or '-' between"
        raise Invalid({"name": [fault]})


def check_room(names: Collection[str], name: str, *, has_home: bool) -> None:
    """Check that one more robot of that name may be made.

    Args:
        names: of the robots that belong to the same.

    Raises:
        Invalid: the name is taken, or there are enough.
    """
    if name in names:
        raise Invalid({"name": ["has already been taken"]})
    most = MAX_ROBOTS_AT_HOME if has_home else MAX_ROBOTS_OF_INSTALLATION
    if len(names) >= most:
        raise Invalid({"name": [f"there are {most} robots here, and no more are possible: delete one"]})


def parse_networks(texts: Collection[str]) -> tuple[str, ...]:
    """Return the networks (CIDR) that the texts name, in their usual form; a bare address is one too.

    Raises:
        Invalid: one is no network, or there are none or too many.
    """
    if not 1 <= len(texts) <= MAX_ALLOWED_ADDRESSES:
        fault = f"must name 1 to {MAX_ALLOWED_ADDRESSES} networks, or be null to welcome every address"
        raise Invalid({"allowed_addresses": [fault]})
    try:
        return tuple(str(ipaddress.ip_network(text.strip(), strict=False)) for text in texts)
    except ValueError as fault:
        raise Invalid({"allowed_addresses": [f"must be addresses or networks such as 10.1.0.0/16: {fault}"]}) from fault


def is_allowed_from(networks: Collection[str] | None, address: str) -> bool:
    """Tell whether an address lies in one of the networks; ``None``: every address is welcome."""
    if networks is None:
        return True
    try:
        parsed: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in ipaddress.ip_network(network) for network in networks)
