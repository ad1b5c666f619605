"""How two manifests differ: what they are made of, what they say of themselves, how they start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from services.catalog.domain.configs import ImageConfig
from services.catalog.domain.details import Layer, ManifestDetails
from services.catalog.domain.manifests import Descriptor
from shared.oci.names import Digest

_BY_KEY = ("env", "labels")
_LEFT_OUT = ("history", *_BY_KEY)
"""Of the configuration: the layers tell of their steps, and what has keys is compared key by key."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not the same; ``None`` where it is not there at all."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """What two indexes have for one platform; ``None`` where one has nothing."""

    platform: str
    before: Digest | None
    after: Digest | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one manifest differs from another."""

    layers_shared: Sequence[Layer]
    layers_added: Sequence[Layer]
    layers_removed: Sequence[Layer]
    config: Sequence[Change]
    env: Sequence[Change]
    labels: Sequence[Change]
    annotations: Sequence[Change]
    platforms: Sequence[PlatformChange]
    """Those for which two indexes have different manifests."""


def compare(before: ManifestDetails, after: ManifestDetails) -> Comparison:
    """Compare two manifests; an image with an index too, of which then little is common."""
    old, new = {layer.digest for layer in before.layers}, {layer.digest for layer in after.layers}
    one, other = before.config or ImageConfig(), after.config or ImageConfig()
    return Comparison(
        layers_shared=[layer for layer in after.layers if layer.digest in old],
        layers_added=[layer for layer in after.layers if layer.digest not in old],
        layers_removed=[layer for layer in before.layers if layer.digest not in new],
        config=list(_config_changes(one, other)),
        env=_changes(_variables(one.env), _variables(other.env)),
        labels=_changes(one.labels, other.labels),
        annotations=_changes(before.annotations, after.annotations),
        platforms=_platform_changes(before.children, after.children),
    )


def _config_changes(before: ImageConfig, after: ImageConfig) -> Sequence[Change]:
    names = [each.name for each in fields(ImageConfig) if each.name not in _LEFT_OUT]
    pairs = [(name, _plain(getattr(before, name)), _plain(getattr(after, name))) for name in names]
    return [Change(name, old, new) for name, old, new in pairs if old != new]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _variables(env: Sequence[str]) -> Mapping[str, str]:
    return {name: value for name, _, value in (each.partition("=") for each in env)}


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Sequence[Change]:
    names = sorted(before.keys() | after.keys())
    return [Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _platform_changes(before: Sequence[Descriptor], after: Sequence[Descriptor]) -> Sequence[PlatformChange]:
    old, new = _by_platform(before), _by_platform(after)
    names = sorted(old.keys() | new.keys())
    return [PlatformChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _by_platform(children: Sequence[Descriptor]) -> Mapping[str, Digest]:
    listed = [child for child in children if child.platform and not child.is_attestation]
    return {_platform_name(child): child.digest for child in listed}


def _platform_name(child: Descriptor) -> str:
    platform = child.platform
    if platform is None:
        return ""
    # As containerd writes it ("platforms.FormatAll").
    system = f"{platform.os}({platform.os_version})" if platform.os_version else platform.os
    parts = (system, platform.architecture, platform.variant)
    return "/".join(part for part in parts if part)
