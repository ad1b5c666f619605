"""The registries under this authority: each with its service name, hosts and settings.

The first is the one that the environment names; its row holds no service and no host. As long as it
is alone, nobody needs to know that there could be others.
"""

from dataclasses import dataclass, replace

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy

FIRST_REGISTRY_ID = 1
FIRST_SERVICE = ""
"""Stands for the service name of the first registry, which the environment names."""


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


def service_key(asked: str | None, first_service: str) -> str | None:
    """Return what a registry is looked up by.

    Args:
        asked: what a client says that the registry is called.
        first_service: the name that the environment gives the first registry.

    Returns:
        ``None`` when nothing can be called that way.
    """
    if not asked:
        return None
    return FIRST_SERVICE if asked == first_service else asked
