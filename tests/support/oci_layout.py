"""Images made from nothing, as an OCI layout folder that skopeo can copy from.

Source: image-spec "Image Layout".
"""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Descriptor = dict[str, Any]


def make_image(
    folder: Path, tag: str, *, layers: int = 2, layer_bytes: int = 2048, base: tuple[bytes, ...] = ()
) -> Path:
    """Write an image under a tag into a layout folder, made if need be.

    Args:
        folder: the layout.
        tag: ``org.opencontainers.image.ref.name`` of the image.
        layers: how many layers of random content on top of ``base``.
        layer_bytes: size of the one file in each layer.
        base: whole layers (gzipped tars) to put below, so that images share them.
    """
    contents = [*base, *(make_layer(layer_bytes) for _ in range(layers))]
    descriptor = write_manifest(folder, contents, architecture="amd64")
    _add_to_index(folder, descriptor | {"annotations": {"org.opencontainers.image.ref.name": tag}})
    return folder


def make_index(folder: Path, tag: str, *, architectures: tuple[str, ...] = ("amd64", "arm64")) -> Path:
    """Write an index of one small image per architecture under a tag."""
    children = [
        write_manifest(folder, [make_layer(1024)], architecture=name)
        | {"platform": {"os": "linux", "architecture": name}}
        for name in architectures
    ]
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
    descriptor = _write_blob(folder, json.dumps(body).encode(), INDEX)
    _add_to_index(folder, descriptor | {"annotations": {"org.opencontainers.image.ref.name": tag}})
    return folder


def make_layer(size_bytes: int) -> bytes:
    """Return a gzipped tar with one file of random content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(f"data/{os.urandom(6).hex()}")
        entry.size = size_bytes
        archive.addfile(entry, io.BytesIO(os.urandom(size_bytes)))
    return gzip.compress(buffer.getvalue(), mtime=0)


def write_manifest(folder: Path, layers: list[bytes], *, architecture: str) -> Descriptor:
    """Write one image's blobs and manifest; return the manifest's descriptor."""
    diff_ids = [f"sha256:{hashlib.sha256(gzip.decompress(layer)).hexdigest()}" for layer in layers]
    config = {
        "os": "linux",
        "architecture": architecture,
        "config": {"Cmd": ["/bin/true"], "Labels": {"org.opencontainers.image.title": "example"}},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": f"COPY {number}"} for number in range(len(layers))],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _write_blob(folder, json.dumps(config).encode(), CONFIG),
        "layers": [_write_blob(folder, layer, LAYER) for layer in layers],
    }
    return _write_blob(folder, json.dumps(manifest).encode(), MANIFEST)


def _write_blob(folder: Path, content: bytes, media_type: str) -> Descriptor:
    digest = hashlib.sha256(content).hexdigest()
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _add_to_index(folder: Path, descriptor: Descriptor) -> None:
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    path = folder / "index.json"
    index: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"schemaVersion": 2, "manifests": []}
    index["manifests"].append(descriptor)
    path.write_text(json.dumps(index))
