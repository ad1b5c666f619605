"""What a caller may see, as ``auth`` decided it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visibility:
    """The repositories that a caller may pull from."""

    everything: bool = False
    global_namespace: bool = False
    """Whether repositories without a slash are among them."""
    namespaces: tuple[str, ...] = ()
