"""Media types of manifests.

Source: image-spec "Media Types"; distribution "Image Manifest V 2, Schema 1 and 2".
"""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

EMPTY = "application/vnd.oci.empty.v1+json"
"""Of a part that has to be there and says nothing: the two bytes ``{}``."""

OCTET_STREAM = "application/octet-stream"
"""What the registry's notifications call every blob."""

INDEXES = frozenset({OCI_INDEX, DOCKER_MANIFEST_LIST})
IMAGES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
IMAGE_CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})

# A registry answers 404 for an OCI manifest when ``Accept`` does not name its type: ``*/*`` will not do.
ACCEPT_MANIFESTS = ", ".join(
    (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1)
)
