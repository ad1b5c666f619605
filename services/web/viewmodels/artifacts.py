"""What kind of thing a tag points at, in words.

Source: image-spec "Guidelines for Artifact Usage"; the media types registered by the projects named.
"""

from enum import StrEnum

from flask_babel import gettext, lazy_gettext

from shared.oci.media_types import DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, IMAGE_CONFIGS, IMAGES, INDEXES


class Tool(StrEnum):
    """Which family of clients pulls it."""

    IMAGE = "image"
    HELM = "helm"
    ORAS = "oras"


_IMAGE_TYPES = IMAGES | INDEXES | {DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED}

_HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"

_NAMES = {
    _HELM_CONFIG: lazy_gettext("Helm chart"),
    "application/vnd.dev.cosign.simplesigning.v1+json": lazy_gettext("Signature"),
    "application/vnd.dev.cosign.artifact.sig.v1+json": lazy_gettext("Signature"),
    "application/vnd.cncf.notary.signature": lazy_gettext("Signature"),
    "application/vnd.dev.sigstore.bundle.v0.3+json": lazy_gettext("Signature"),
    "application/spdx+json": "SBOM (SPDX)",
    "text/spdx+json": "SBOM (SPDX)",
    "text/spdx": "SBOM (SPDX)",
    "application/vnd.cyclonedx+json": "SBOM (CycloneDX)",
    "application/vnd.cyclonedx+xml": "SBOM (CycloneDX)",
    "application/vnd.in-toto+json": lazy_gettext("Attestation"),
    "application/vnd.wasm.config.v0+json": "WebAssembly",
    "application/vnd.wasm.config.v1+json": "WebAssembly",
}


def artifact_label(media_type: str | None, artifact_type: str | None) -> str | None:
    """Return what to call something that is no container image; ``None`` for images."""
    if is_image(media_type, artifact_type):
        return None
    kind = artifact_type or media_type or gettext("unknown type")
    return str(_NAMES.get(kind, kind))


def pull_tool(media_type: str | None, artifact_type: str | None) -> Tool:
    """Return which family of clients can pull it."""
    if is_image(media_type, artifact_type):
        return Tool.IMAGE
    return Tool.HELM if artifact_type == _HELM_CONFIG else Tool.ORAS


def is_image(media_type: str | None, artifact_type: str | None) -> bool:
    """Tell whether container runtimes can run it; one not looked at yet is taken for an image."""
    if artifact_type:
        return artifact_type in IMAGE_CONFIGS
    return media_type is None or media_type in _IMAGE_TYPES
