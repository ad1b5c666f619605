"""Reading manifests, indexes and image configurations that strangers have written.

Whatever the bytes are, reading ends in a ``Manifest``: what cannot be understood is kept and marked
as not readable. Source: image-spec "Image Manifest", "Image Index", "Image Configuration"; Docker
"Image Manifest V 2, Schema 2".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.catalog.domain.lenient import Malformed, find_strings, find_text, of_type, read_object
from shared.oci.media_types import DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, EMPTY, IMAGE_CONFIGS, INDEXES
from shared.oci.names import Digest, InvalidName, parse_digest

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""Larger manifests are not read; a registry takes 4 MiB at most (distribution-spec)."""

MAX_CONFIG_BYTES = 4 * 1024 * 1024
MAX_CHILDREN = 1000
"""An index of more is kept but not read."""

MAX_SIZE_BYTES = 2**40
"""A size above 1 TiB, of a layer or of all together, is a lie: nobody checks what a manifest says."""

_SCHEMA1 = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on."""

    os: str
    architecture: str
    variant: str | None = None
    os_version: str | None = None
    """Of Windows: its images run on one build only, and an index lists one for each."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of a part: a layer, a configuration, a child manifest."""

    digest: Digest
    media_type: str | None
    size_bytes: int
    platform: Platform | None = None
    is_attestation: bool = False
    """A build's provenance or bill of materials, listed beside the images of an index."""
    attests: Digest | None = None
    """The manifest that it is about."""

    @property
    def may_run(self) -> bool:
        """Whether somebody could run it. Who asks for a platform gets it, whatever its annotations say."""
        return not self.is_attestation or self.platform is not None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the index keeps of a manifest."""

    media_type: str | None
    artifact_type: str | None = None
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    children: tuple[Descriptor, ...] = ()
    """The manifests of an index."""
    subject: Digest | None = None
    """The manifest that this one is about, as a signature is."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    readable: bool = True

    @property
    def has_image_config(self) -> bool:
        return self.config is not None and self.config.media_type in IMAGE_CONFIGS

    @property
    def keeps_config(self) -> bool:
        """Whether the configuration is a document that says something: an image's, a chart's."""
        config = self.config
        return config is not None and config.media_type != EMPTY and (config.media_type or "").endswith("json")

    @property
    def size_bytes(self) -> int | None:
        """Configuration and layers; ``None`` when the manifest itself does not say (an index)."""
        parts = (*self.layers, *([self.config] if self.config else []))
        return sum(part.size_bytes for part in parts) if parts else None


@dataclass(frozen=True, slots=True)
class FetchedManifest:
    """A manifest with its bytes, as the registry keeps it under a digest."""

    digest: Digest
    body: bytes
    """Empty when it was too large to be kept."""
    manifest: Manifest
    platform: Platform | None = None
    """Of a single image: what its configuration says."""
    config: bytes | None = None
    """The configuration itself, where it is a document."""


def read_manifest(body: bytes, content_type: str | None) -> Manifest:
    """Read a manifest of any media type; never fails.

    Args:
        body: as the registry sent it.
        content_type: as the registry said; the manifest's own word counts when it said nothing.
    """
    said = find_text((content_type or "").partition(";")[0].strip().lower())
    try:
        fields = read_object(body)
        media_type = said or find_text(fields.get("mediaType"))
        return Manifest(media_type) if media_type in _SCHEMA1 else _read_fields(fields, media_type)
    except Malformed:
        return Manifest(said, readable=False)


def read_platform(config: bytes) -> Platform | None:
    """Read what an image's configuration says it runs on; ``None`` when it says nothing usable."""
    try:
        return _platform(read_object(config))
    except Malformed:
        return None


def _read_fields(fields: Mapping[str, Any], media_type: str | None) -> Manifest:
    config = _descriptor(fields["config"]) if fields.get("config") else None
    manifest = Manifest(
        media_type=media_type,
        # image-spec "Guidelines for Artifact Usage": without artifactType the config's type tells.
        artifact_type=find_text(fields.get("artifactType")) or (config.media_type if config else None),
        config=config,
        layers=_descriptors(fields.get("layers")),
        children=_descriptors(fields.get("manifests")) if media_type in INDEXES else (),
        subject=_descriptor(fields["subject"]).digest if fields.get("subject") else None,
        annotations=find_strings(fields.get("annotations")),
    )
    if (manifest.size_bytes or 0) > MAX_SIZE_BYTES or len(manifest.children) > MAX_CHILDREN:
        raise Malformed
    return manifest


def _descriptors(values: object) -> tuple[Descriptor, ...]:
    return tuple(_descriptor(value) for value in of_type(list, values or []))


def _descriptor(value: object) -> Descriptor:
    fields = of_type(dict, value)
    platform, annotations = fields.get("platform"), find_strings(fields.get("annotations"))
    return Descriptor(
        digest=_digest(fields.get("digest")),
        media_type=find_text(fields.get("mediaType")),
        size_bytes=_size(fields.get("size")),
        platform=_platform(platform) if isinstance(platform, dict) else None,
        is_attestation="vnd.docker.reference.type" in annotations,
        attests=_find_digest(annotations.get("vnd.docker.reference.digest")),
    )


def _platform(fields: Mapping[str, Any]) -> Platform | None:
    os, architecture = find_text(fields.get("os")), find_text(fields.get("architecture"))
    # BuildKit lists attestations under the platform unknown/unknown.
    if not os or not architecture or (os, architecture) == ("unknown", "unknown"):
        return None
    return Platform(os, architecture, find_text(fields.get("variant")), find_text(fields.get("os.version")))


def _find_digest(value: str | None) -> Digest | None:
    try:
        return parse_digest(value) if value else None
    except InvalidName:
        return None


def _digest(value: object) -> Digest:
    try:
        return parse_digest(of_type(str, value))
    except InvalidName as fault:
        raise Malformed from fault


def _size(value: object) -> int:
    size = of_type(int, value)
    if isinstance(value, bool) or not 0 <= size <= MAX_SIZE_BYTES:
        raise Malformed
    return size
