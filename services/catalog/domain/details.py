"""All that a manifest and its configuration say, put together from the bytes that are kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.catalog.domain.configs import BuildStep, ImageConfig, read_config
from services.catalog.domain.lenient import Malformed, read_object
from services.catalog.domain.manifests import Descriptor, Manifest, read_manifest
from shared.oci.names import Digest

MAX_LISTED = 1000
"""So many layers and children of one manifest are shown."""

MAX_DOCUMENT_BYTES = 256 * 1024
"""A configuration that is no image's is shown as it is up to this size."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer, and the step of the build that made it."""

    digest: Digest
    media_type: str | None
    size_bytes: int
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestDetails:
    """What a manifest is made of and says of itself."""

    config_digest: Digest | None = None
    subject: Digest | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    layers: Sequence[Layer] = ()
    children: Sequence[Descriptor] = ()
    config: ImageConfig | None = None
    """Of an image."""
    document: Mapping[str, Any] | None = None
    """The configuration of what is no image: a chart's description, for example."""


def read_details(body: bytes, media_type: str | None, config: bytes | None) -> ManifestDetails:
    """Read a manifest, and its configuration where that is kept."""
    manifest = read_manifest(body, media_type)
    image = read_config(config) if config and manifest.has_image_config else None
    return ManifestDetails(
        config_digest=manifest.config.digest if manifest.config else None,
        subject=manifest.subject,
        annotations=manifest.annotations,
        layers=tuple(_layers(manifest, image.history if image else ())),
        children=manifest.children[:MAX_LISTED],
        config=image,
        document=_document(config) if config and not manifest.has_image_config else None,
    )


def _layers(manifest: Manifest, history: Sequence[BuildStep]) -> Iterator[Layer]:
    # image-spec "Image Configuration": steps without empty_layer stand in the order of the layers.
    steps = [step.created_by for step in history if step.has_layer]
    commands = steps if len(steps) == len(manifest.layers) else [None] * len(manifest.layers)
    for layer, command in list(zip(manifest.layers, commands, strict=True))[:MAX_LISTED]:
        yield Layer(layer.digest, layer.media_type, layer.size_bytes, command)


def _document(config: bytes) -> Mapping[str, Any] | None:
    if len(config) > MAX_DOCUMENT_BYTES:
        return None
    try:
        return read_object(config)
    except Malformed:
        return None
