"""Images pushed to a registry request by request, small and made from nothing.

Source: distribution-spec "Pushing".
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from shared.oci.media_types import (
    ACCEPT_MANIFESTS,
    DOCKER_CONFIG,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
)

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
TIMEOUT_S = 20

Descriptor = dict[str, Any]


class Pusher:
    """Pushes to one registry as one client.

    Args:
        url: the registry's address.
        headers: sent with every request.
    """

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers or {})

    def image(
        self,
        repository: str,
        tag: str | None = None,
        *,
        docker: bool = False,
        os_name: str = "linux",
        architecture: str = "amd64",
        variant: str | None = None,
        layer_bytes: Sequence[int] = (200, 300),
        config: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
        annotations: Mapping[str, str] | None = None,
    ) -> Descriptor:
        """Push an image with layers of random bytes; without a tag, by its digest.

        Args:
            config: how a container of it starts: ``Env``, ``Labels`` and so on.
        """
        document: dict[str, Any] = {"os": os_name, "architecture": architecture}
        document |= {"rootfs": {"type": "layers", "diff_ids": []}, "config": config or {}, "history": list(history)}
        if variant:
            document["variant"] = variant
        body: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": self.blob(repository, json.dumps(document).encode(), DOCKER_CONFIG if docker else OCI_CONFIG),
            "layers": [
                self.blob(repository, os.urandom(size), DOCKER_LAYER if docker else OCI_LAYER) for size in layer_bytes
            ],
        }
        if annotations:
            body["annotations"] = dict(annotations)
        return self.manifest(repository, tag, body)

    def index(
        self, repository: str, tag: str | None, children: Sequence[Descriptor], *, docker: bool = False
    ) -> Descriptor:
        """Push an index of children that were pushed before; see ``on`` for their platforms."""
        media_type = DOCKER_MANIFEST_LIST if docker else OCI_INDEX
        return self.manifest(
            repository, tag, {"schemaVersion": 2, "mediaType": media_type, "manifests": list(children)}
        )

    def artifact(
        self,
        repository: str,
        tag: str | None,
        *,
        config_type: str = "application/vnd.oci.empty.v1+json",
        artifact_type: str | None = None,
        subject: Descriptor | None = None,
        content: bytes = b"content",
    ) -> Descriptor:
        """Push something that is no image."""
        body: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.blob(repository, b"{}", config_type),
            "layers": [self.blob(repository, content, "text/plain")],
        }
        if artifact_type:
            body["artifactType"] = artifact_type
        if subject:
            body["subject"] = subject
        return self.manifest(repository, tag, body)

    def blob(self, repository: str, content: bytes, media_type: str) -> Descriptor:
        """Upload a blob in one go."""
        digest = digest_of_bytes(content)
        begun = self._ask("POST", f"/v2/{repository}/blobs/uploads/", 202)
        location = begun.headers["Location"]
        separator = "&" if "?" in location else "?"
        self._ask("PUT", f"{location}{separator}digest={digest}", 201, data=content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, repository: str, tag: str | None, body: dict[str, Any]) -> Descriptor:
        """Put a manifest under a tag, or under its digest."""
        raw = json.dumps(body).encode()
        digest = digest_of_bytes(raw)
        headers = {"Content-Type": body["mediaType"]}
        self._ask("PUT", f"/v2/{repository}/manifests/{tag or digest}", 201, data=raw, headers=headers)
        return {"mediaType": body["mediaType"], "digest": digest, "size": len(raw)}

    def retag(self, repository: str, tag: str, new_tag: str) -> None:
        """Put what lies under a tag under another one too."""
        found = self._get(repository, tag)
        headers = {"Content-Type": found.headers["Content-Type"]}
        self._ask("PUT", f"/v2/{repository}/manifests/{new_tag}", 201, data=found.content, headers=headers)

    def copy_image(self, repository: str, tag: str, target: str) -> None:
        """Put an image into another repository, its blobs mounted."""
        found = self._get(repository, tag)
        body = found.json()
        for part in (body["config"], *body["layers"]):
            self._ask("POST", f"/v2/{target}/blobs/uploads/?mount={part['digest']}&from={repository}", 201)
        headers = {"Content-Type": found.headers["Content-Type"]}
        self._ask("PUT", f"/v2/{target}/manifests/{tag}", 201, data=found.content, headers=headers)

    def read(self, repository: str, tag: str) -> dict[str, Any]:
        """Return the manifest under a tag."""
        body: dict[str, Any] = self._get(repository, tag).json()
        return body

    def describe(self, repository: str, tag: str) -> Descriptor:
        """Return the descriptor of what lies under a tag."""
        found = self._get(repository, tag)
        media_type, digest = found.headers["Content-Type"], found.headers["Docker-Content-Digest"]
        return {"mediaType": media_type, "digest": digest, "size": len(found.content)}

    def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest."""
        self._ask("DELETE", f"/v2/{repository}/manifests/{digest}", 202)

    def delete_blob(self, repository: str, digest: str) -> None:
        """Delete a blob, which breaks every image that needs it."""
        self._ask("DELETE", f"/v2/{repository}/blobs/{digest}", 202)

    def _get(self, repository: str, tag: str) -> requests.Response:
        return self._ask("GET", f"/v2/{repository}/manifests/{tag}", 200, headers={"Accept": ACCEPT_MANIFESTS})

    def _ask(self, method: str, path: str, expect: int, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else self._url + path
        answer = self._session.request(method, url, timeout=TIMEOUT_S, **options)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


def on(child: Descriptor, os_name: str, architecture: str, *, variant: str | None = None, **other: Any) -> Descriptor:
    """Return a child as an index lists it."""
    platform = {"os": os_name, "architecture": architecture} | ({"variant": variant} if variant else {})
    return child | {"platform": platform} | other


def attestation(child: Descriptor, of: Descriptor) -> Descriptor:
    """Return a child as BuildKit lists a build's provenance."""
    said = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": of["digest"]}
    return on(child, "unknown", "unknown", annotations=said)


def digest_of_bytes(content: bytes) -> str:
    """Return the digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
