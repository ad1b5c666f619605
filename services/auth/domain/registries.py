"""The registries under this authority: each with its service name, hosts and settings.

The first is the one that the environment names; its row holds no service and no host. As long as it
is alone, nobody needs to know that there could be others.
"""

import re
from dataclasses import dataclass, replace

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.errors import Invalid

FIRST_REGISTRY_ID = 1
FIRST_SERVICE = ""
"""Stands for the service name of the first registry, which the environment names."""

MAX_HOSTNAME_LENGTH = 255
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?")


@dataclass(frozen=True, slots=True)
class RegistryFacts:
    """What issuing a token needs to know about a registry."""

    id: int
    service: str
    """Its ``auth.token.service``; the audience of its tokens."""
    token_ttl_s: int | None = None
    """``None``: as the installation has it; likewise the policies."""
    push: PushPolicy | None = None
    delete: DeletePolicy | None = None

    def policy(self, installation: Policy) -> Policy:
        """Return the policy that holds for this registry."""
        return replace(installation, push=self.push or installation.push, delete=self.delete or installation.delete)


@dataclass(frozen=True, slots=True)
class FirstRegistry:
    """What the environment says of the first registry."""

    service: str
    hostname: str


def service_key(asked: str | None, first_service: str) -> str | None:
    """Return what a registry is looked up by.

    Args:
        asked: what a client says that the registry is called.
        first_service: the name that the environment gives the first registry.

    Returns:
        ``None`` when nothing can be called that way.
    """
    # PostgreSQL cannot even be asked about a NUL or half a surrogate pair.
    if not asked or not asked.isprintable():
        return None
    return FIRST_SERVICE if asked == first_service else asked


def check_hostname(field: str, hostname: str) -> None:
    """Check a registry's ``host[:port]``.

    Raises:
        Invalid: it holds a scheme, a path, or anything else that no host has.
    """
    if len(hostname) > MAX_HOSTNAME_LENGTH or not _HOSTNAME.fullmatch(hostname):
        raise Invalid({field: ["must be a host and, where needed, a port: registry.example.org:5000"]})
