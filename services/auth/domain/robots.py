"""Robot accounts: what they are called, and from where they may be used."""

import ipaddress
import re
from collections.abc import Collection

from services.auth.domain.errors import Invalid
from shared.oci.names import is_name_component

ROBOT_PREFIX = "robot+"
"""Begins the username of every robot; no person may take such a name."""

MAX_ROBOT_NAME_LENGTH = 64
MAX_ALLOWED_ADDRESSES = 50
MAX_LIVE_SECRETS = 2
"""Two, so that the old secret works until every user of the robot has the new one."""


def is_robot_username(username: str) -> bool:
    """Tell whether a name can only be a robot's."""
    return username.lower().startswith(ROBOT_PREFIX)


def robot_username(name: str, *, namespace: str | None = None, team: str | None = None) -> str:
    """Return the username of a robot: ``robot+ci``, ``robot+team-a/ci`` or ``robot+@platform/ci``.

    Args:
        name: see ``check_robot_name``.
        namespace: name of the namespace that it belongs to.
        team: name of the team that it belongs to; what a username cannot hold becomes a dash.
    """
    if namespace is not None:
        return f"{ROBOT_PREFIX}{namespace}/{name}"
    if team is not None:
        slug = re.sub(r"[^a-z0-9]+", "-", team.lower()).strip("-")
        return f"{ROBOT_PREFIX}@{slug or 'team'}/{name}"
    return f"{ROBOT_PREFIX}{name}"


def check_robot_name(name: str) -> None:
    """Check the name of a robot that somebody wants to make.

    Raises:
        Invalid: it is not one component of the distribution's grammar, or too long.
    """
    if len(name) > MAX_ROBOT_NAME_LENGTH or not is_name_component(name):
        fault = f"must have 1 to {MAX_ROBOT_NAME_LENGTH} lower-case letters and digits, with '.', '_' or '-' between"
        raise Invalid({"name": [fault]})


def parse_networks(texts: Collection[str]) -> tuple[str, ...]:
    """Return the networks (CIDR) that the texts name, in their usual form; a bare address is one too.

    Raises:
        Invalid: one is no network, or there are too many.
    """
    if len(texts) > MAX_ALLOWED_ADDRESSES:
        raise Invalid({"allowed_addresses": [f"may name at most {MAX_ALLOWED_ADDRESSES} networks"]})
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
