"""Names, digests, platforms and kinds of artifacts, as pages show them."""

import pytest

from services.web.clients.catalog import Platform
from services.web.viewmodels.artifacts import Tool, artifact_label, pull_tool
from services.web.viewmodels.names import present_digest, present_name
from services.web.viewmodels.platforms import present_platforms
from shared.oci.media_types import DOCKER_MANIFEST, DOCKER_SCHEMA1_SIGNED, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST

HELM = "application/vnd.cncf.helm.config.v1+json"


def make_platform(os: str = "linux", architecture: str = "amd64", variant: str | None = None) -> Platform:
    return Platform(os, architecture, variant, "sha256:" + "b" * 64, 3_500_000)


@pytest.mark.parametrize(
    ("full_name", "namespace", "components"),
    [
        ("team/app", "team", ("app",)),
        ("busybox", None, ("busybox",)),
        ("team/deep/er/app", "team", ("deep", "er", "app")),
    ],
)
def test_name_is_taken_apart_at_its_slashes(full_name: str, namespace: str | None, components: tuple[str, ...]) -> None:
    name = present_name(full_name)

    assert (name.namespace, name.components, name.full) == (namespace, components, full_name)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_digest_chip_shows_twelve_characters_and_keeps_all(algorithm: str) -> None:
    chip = present_digest(f"{algorithm}:0123456789abcdef" + "0" * 48)

    assert chip.short == "0123456789ab"
    assert chip.full.startswith(f"{algorithm}:0123456789abcdef")


def test_two_platforms_are_seen_and_the_rest_opens() -> None:
    platforms = [make_platform(architecture=name) for name in ("amd64", "ppc64le", "s390x", "riscv64")]

    chips = present_platforms(platforms)

    assert [chip.text for chip in chips.first] == ["linux/amd64", "linux/ppc64le"]
    assert [chip.text for chip in chips.rest] == ["linux/s390x", "linux/riscv64"]


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        (make_platform(architecture="arm", variant="v7"), "linux/arm/v7"),
        (make_platform(architecture="arm64", variant="v8"), "linux/arm64"),
        (make_platform(os="windows"), "windows/amd64"),
    ],
    ids=["variant", "the variant that every arm64 has", "system"],
)
def test_platform_is_written_as_clients_take_it(platform: Platform, text: str) -> None:
    assert present_platforms([platform]).first[0].text == text


def test_platform_chip_tells_digest_and_size_in_its_title() -> None:
    assert present_platforms([make_platform()]).first[0].title == "sha256:" + "b" * 64 + " · 3.3 MiB"


def test_attestations_are_no_platforms() -> None:
    attestation = make_platform("unknown", "unknown")

    chips = present_platforms([make_platform(), attestation])

    assert [chip.text for chip in chips.first] == ["linux/amd64"]


@pytest.mark.parametrize(
    ("media_type", "artifact_type", "label", "tool"),
    [
        (OCI_MANIFEST, OCI_CONFIG, None, Tool.IMAGE),
        (OCI_MANIFEST, None, None, Tool.IMAGE),
        (OCI_INDEX, None, None, Tool.IMAGE),
        (DOCKER_MANIFEST, None, None, Tool.IMAGE),
        (DOCKER_SCHEMA1_SIGNED, None, None, Tool.IMAGE),
        (None, None, None, Tool.IMAGE),
        (OCI_MANIFEST, HELM, "Helm chart", Tool.HELM),
        (OCI_MANIFEST, "application/spdx+json", "SBOM (SPDX)", Tool.ORAS),
        (OCI_MANIFEST, "application/vnd.example.model", "application/vnd.example.model", Tool.ORAS),
        ("application/vnd.example+json", None, "application/vnd.example+json", Tool.ORAS),
    ],
)
def test_kind_of_artifact(media_type: str | None, artifact_type: str | None, label: str | None, tool: Tool) -> None:
    assert artifact_label(media_type, artifact_type) == label
    assert pull_tool(media_type, artifact_type) is tool
