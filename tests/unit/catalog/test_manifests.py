"""Reading manifests, as they should be and as they should not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.manifests import (
    MAX_CHILDREN,
    MAX_SIZE_BYTES,
    Manifest,
    Platform,
    read_manifest,
    read_platform,
)
from shared.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    DOCKER_SCHEMA1_SIGNED,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
)
from tests.support.catalog import digest_of

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CHART = "application/vnd.cncf.helm.config.v1+json"


def descriptor(name: str = "layer", *, size: Any = 100, media_type: str = LAYER, **other: Any) -> dict[str, Any]:
    return {"digest": digest_of(name), "size": size, "mediaType": media_type, **other}


def image(*, config_type: str = OCI_CONFIG, **other: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "config": descriptor("config", size=10, media_type=config_type),
        "layers": [descriptor("a", size=100), descriptor("b", size=200)],
        **other,
    }


def index(*children: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "manifests": list(children), **other}


def child(name: str, os: str, architecture: str, **other: Any) -> dict[str, Any]:
    platform = {"os": os, "architecture": architecture}
    return descriptor(name, media_type=OCI_MANIFEST, platform=platform | other.pop("platform", {}), **other)


def read(body: Any, media_type: str = OCI_MANIFEST) -> Manifest:
    return read_manifest(json.dumps(body).encode(), media_type)


@pytest.mark.parametrize(("media_type", "config"), [(OCI_MANIFEST, OCI_CONFIG), (DOCKER_MANIFEST, DOCKER_CONFIG)])
def test_an_image_has_the_size_of_its_configuration_and_layers(media_type: str, config: str) -> None:
    manifest = read(image(config_type=config), media_type)

    assert (manifest.media_type, manifest.size_bytes, manifest.readable) == (media_type, 310, True)
    assert manifest.has_image_config


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_MANIFEST_LIST])
def test_an_index_lists_its_children_with_their_platforms(media_type: str) -> None:
    children = child("amd", "linux", "amd64"), child("arm", "linux", "arm", platform={"variant": "v7"})

    manifest = read(index(*children), media_type)

    assert [listed.platform for listed in manifest.children] == [
        Platform("linux", "amd64"),
        Platform("linux", "arm", "v7"),
    ]
    assert manifest.size_bytes is None


def test_an_attestation_is_a_child_without_a_platform() -> None:
    said = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest_of("amd")}
    (attestation,) = read(index(child("att", "unknown", "unknown", annotations=said)), OCI_INDEX).children

    assert attestation.is_attestation
    assert attestation.platform is None


@pytest.mark.parametrize(
    ("body", "artifact_type"),
    [
        pytest.param(image(artifactType="application/spdx+json"), "application/spdx+json", id="as it says"),
        pytest.param(image(config_type=CHART), CHART, id="as its configuration says"),
        pytest.param(image(), OCI_CONFIG, id="an image"),
        pytest.param({"layers": []}, None, id="it does not say"),
    ],
)
def test_the_artifact_type(body: dict[str, Any], artifact_type: str | None) -> None:
    assert read(body).artifact_type == artifact_type


def test_the_subject_is_kept() -> None:
    assert read(image(subject=descriptor("image", media_type=OCI_MANIFEST))).subject == digest_of("image")


def test_schema_1_is_kept_without_a_size() -> None:
    body = {"schemaVersion": 1, "fsLayers": [{"blobSum": digest_of("a")}], "signatures": []}

    assert read(body, DOCKER_SCHEMA1_SIGNED) == Manifest(DOCKER_SCHEMA1_SIGNED)


def test_the_manifest_names_its_type_where_the_registry_does_not() -> None:
    assert read_manifest(json.dumps(image(mediaType=OCI_MANIFEST)).encode(), None).media_type == OCI_MANIFEST


def test_parameters_of_the_content_type_do_not_count() -> None:
    assert read(image(), f"{OCI_MANIFEST}; charset=utf-8").media_type == OCI_MANIFEST


MALFORMED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="half an object"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"\xff\xfe\x00", id="no text"),
    pytest.param(b"[" * 100_000, id="brackets without end"),
    pytest.param(b'{"config": {"size": ' + b"9" * 10_000 + b"}}", id="a number without end"),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_what_is_no_manifest_is_not_readable(body: bytes) -> None:
    assert read_manifest(body, OCI_MANIFEST) == Manifest(OCI_MANIFEST, readable=False)
    assert read_platform(body) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(image(layers="none"), id="layers are a word"),
        pytest.param(image(layers=[1]), id="a layer is a number"),
        pytest.param(image(layers=[descriptor(size=-1)]), id="negative size"),
        pytest.param(image(layers=[descriptor(size=True)]), id="size is true"),
        pytest.param(image(layers=[descriptor(size=1.5)]), id="size is a fraction"),
        pytest.param(image(layers=[descriptor(size=MAX_SIZE_BYTES + 1)]), id="a layer too large to be true"),
        pytest.param(image(layers=[descriptor(size=MAX_SIZE_BYTES)] * 2), id="together too large to be true"),
        pytest.param(image(layers=[{"digest": "sha256:short", "size": 1}]), id="no digest"),
        pytest.param(image(config=["no"]), id="configuration is a list"),
        pytest.param(image(subject="no"), id="subject is a word"),
    ],
)
def test_a_malformed_image_is_not_readable(body: dict[str, Any]) -> None:
    assert not read(body).readable


def test_an_index_of_too_many_is_kept_but_not_read() -> None:
    children = [child("one", "linux", "amd64")] * (MAX_CHILDREN + 1)

    assert read(index(*children), OCI_INDEX) == Manifest(OCI_INDEX, readable=False)


@pytest.mark.parametrize("word", ["nul\x00", "\ud800", "x" * 256, 7, None, ""])
def test_words_that_no_database_takes_count_as_not_said(word: Any) -> None:
    manifest = read_manifest(json.dumps(image(artifactType=word)).encode("utf-8", "surrogatepass"), OCI_MANIFEST)

    assert manifest.artifact_type == OCI_CONFIG


@pytest.mark.parametrize(
    ("config", "platform"),
    [
        ({"os": "linux", "architecture": "arm64", "variant": "v8"}, Platform("linux", "arm64", "v8")),
        ({"os": "windows", "architecture": "amd64"}, Platform("windows", "amd64")),
        ({"os": "linux"}, None),
        ({"os": "unknown", "architecture": "unknown"}, None),
        ({"os": 1, "architecture": "amd64"}, None),
    ],
)
def test_an_images_configuration_says_what_it_runs_on(config: dict[str, Any], platform: Platform | None) -> None:
    assert read_platform(json.dumps(config).encode()) == platform


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["config", "layers", "manifests", "subject", "digest", "size", "mediaType", "platform", "os"]
            ),
            values,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([OCI_MANIFEST, OCI_INDEX, DOCKER_SCHEMA1_SIGNED, "text/plain", None, ""]))
def test_reading_never_fails(value: Any, media_type: str | None) -> None:
    body = json.dumps(value).encode("utf-8", "surrogatepass")

    read_manifest(body, media_type)
    read_platform(body)


@given(st.binary(max_size=50))
def test_reading_bytes_never_fails(body: bytes) -> None:
    read_manifest(body, OCI_MANIFEST)
    read_platform(body)
