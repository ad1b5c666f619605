"""Where something is: namespaces and registries, as far as others mention them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegistryRef:
    """A registry, as far as others mention it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class NamespacePlace:
    """A namespace, with what is needed to call it by its name: every registry has a global one."""

    id: int
    name: str
    registry_host: str
    """The registry as people type it; empty for the first one, which the environment names."""
