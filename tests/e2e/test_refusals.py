"""Every client prints why it was refused, in its own words and ours: docs/refusals.md."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import World
from tests.support.clients import Buildah, Outcome, Skopeo
from tests.support.containerd import Ctr, containerd
from tests.support.docker_engine import Docker
from tests.support.oci_layout import make_image
from tests.support.stack import PASSWORD, new_name


@pytest.fixture(scope="module")
def ctr() -> Iterator[Ctr]:
    with containerd() as ctr:
        yield ctr


@pytest.fixture
def name(world: World, tmp_path: Path) -> str:
    """An image in the private namespace, which the viewer may pull and nobody else may push to it."""
    name = f"{world.private}/{new_name('refused')}:1.0"
    make_image(tmp_path / "layout", "1.0")
    pushed = Skopeo(world.stack.registry, (world.contributor, PASSWORD)).push(tmp_path / "layout", "1.0", name)
    assert pushed.succeeded, pushed.output
    return name


@pytest.fixture
def stores() -> Iterator[Path]:
    """A folder with a short name: podman takes no other."""
    folder = Path(tempfile.mkdtemp(prefix="stores-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def viewer_of(world: World) -> tuple[str, str]:
    return world.viewer, PASSWORD


def stranger_of(world: World) -> tuple[str, str]:
    return world.stranger, PASSWORD


def assert_push_explained(outcome: Outcome, world: World, name: str, *, before: str) -> None:
    """Assert that a viewer is told their role, what it takes, who can help, and where to read on."""
    assert not outcome.succeeded
    repository = name.removesuffix(":1.0")
    assert (
        f"{before}no right to push to {repository}: in the namespace '{world.private}' you are a viewer"
        in outcome.output
    )
    assert "it takes a contributor or an owner; an owner of the team" in outcome.output
    assert f"see {world.stack.url('web')}/explain/" in outcome.output


def assert_pull_explained(outcome: Outcome, world: World, name: str, *, before: str) -> None:
    """Assert that a stranger is told nothing of whether there is such a namespace."""
    assert not outcome.succeeded
    repository = name.removesuffix(":1.0")
    told = f"no right to pull from {repository}: there is no such namespace as '{world.private}', or you have no part"
    assert before + told in outcome.output
    assert f"see {world.stack.url('web')}/explain/" in outcome.output


def test_docker_prints_it(docker: Docker, world: World, name: str, tmp_path: Path) -> None:
    image = f"{world.stack.registry}/{name}"
    stranger = docker.as_someone(tmp_path / "stranger")
    for client, user in ((docker, world.viewer), (stranger, world.stranger)):
        assert client.run("login", "--username", user, "--password", PASSWORD, world.stack.registry).succeeded

    pulled = stranger.run("pull", image)
    assert docker.run("pull", image).succeeded
    pushed = docker.run("push", image)

    assert_pull_explained(pulled, world, name, before="denied: ")
    assert_push_explained(pushed, world, name, before="denied: ")


def test_docker_still_inspects_what_may_be_pulled(docker: Docker, world: World, name: str) -> None:
    docker.run("login", "--username", world.viewer, "--password", PASSWORD, world.stack.registry)

    inspected = docker.run("manifest", "inspect", "--insecure", f"{world.stack.registry}/{name}")

    # docker 20.10 cannot read an OCI manifest, and says so when it was allowed to.
    assert inspected.succeeded or "no such manifest" in inspected.output, inspected.output


def test_skopeo_prints_it(world: World, name: str, tmp_path: Path) -> None:
    before = "unable to retrieve auth token: invalid username/password: denied: "

    pulled = Skopeo(world.stack.registry, stranger_of(world)).pull(name, tmp_path / "pulled")
    pushed = Skopeo(world.stack.registry, viewer_of(world)).push(tmp_path / "layout", "1.0", name)

    assert_pull_explained(pulled, world, name, before=before)
    assert_push_explained(pushed, world, name, before=before)


def test_skopeo_says_why_it_did_not_delete(world: World, name: str) -> None:
    outcome = Skopeo(world.stack.registry, viewer_of(world)).delete(name)

    assert not outcome.succeeded
    assert "denied: no right to delete from" in outcome.output
    assert "it takes an owner" in outcome.output


@pytest.mark.parametrize("program", ["podman", "buildah"])
def test_podman_and_buildah_print_it(program: str, world: World, name: str, stores: Path) -> None:
    before = "unable to retrieve auth token: invalid username/password: denied: "
    image = f"{world.stack.registry}/{name}"
    viewer = Buildah(stores / "viewer", viewer_of(world), program)

    pulled = Buildah(stores / "stranger", stranger_of(world), program).pull(image)
    fetched = viewer.pull(image)
    assert fetched.succeeded, fetched.output
    pushed = viewer.push(image, image)

    assert_pull_explained(pulled, world, name, before=before)
    assert_push_explained(pushed, world, name, before=before)


def test_containerd_prints_it(ctr: Ctr, world: World, name: str) -> None:
    before = "unexpected status: 403 "
    image = f"{world.stack.registry}/{name}"

    pulled = ctr.pull(image, stranger_of(world))
    fetched = ctr.pull(image, viewer_of(world))
    assert fetched.succeeded, fetched.output
    pushed = ctr.push(image, viewer_of(world))

    assert_pull_explained(pulled, world, name, before=before)
    assert_push_explained(pushed, world, name, before=before)
