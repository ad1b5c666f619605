"""The manifest with which a tag is removed alone from a registry that can only delete digests.

It is put under the tag and then deleted by its digest, so that what the tag pointed at stays. It is
the same for every tag, and nobody else's: the index passes over its pushes. Source: image-spec
"Image Manifest", "Guidelines for Artifact Usage".
"""

import hashlib
import json

from shared.oci.media_types import EMPTY, OCI_MANIFEST
from shared.oci.names import Digest

MEDIA_TYPE = OCI_MANIFEST
CONFIG = b"{}"
CONFIG_DIGEST = Digest(f"sha256:{hashlib.sha256(CONFIG).hexdigest()}")

BODY = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "artifactType": "application/vnd.portus.throwaway.v1+json",
        "config": {"mediaType": EMPTY, "digest": CONFIG_DIGEST, "size": len(CONFIG)},
        "layers": [],
        "annotations": {"org.opencontainers.image.description": "Put here by Portus to delete this tag alone."},
    },
    separators=(",", ":"),
).encode()
DIGEST = Digest(f"sha256:{hashlib.sha256(BODY).hexdigest()}")
