"""The docker command line with a real engine: what a developer does every day."""

import base64
import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import World
from tests.e2e.test_first_way import find_tags, wait_for_tag
from tests.support.docker_engine import Docker
from tests.support.stack import ADMIN, PASSWORD, new_name


def import_image(docker: Docker, folder: Path) -> str:
    """Import a one-file image that has no layer in common with another and return its name in the engine."""
    name = new_name("image")
    archive = folder / f"{name}.tar"
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = len(name)
        tar.addfile(entry, io.BytesIO(name.encode()))
    outcome = docker.run("import", str(archive), name)
    assert outcome.succeeded, outcome.output
    return name


@pytest.fixture
def image(docker: Docker, tmp_path: Path) -> str:
    return import_image(docker, tmp_path)


def login(docker: Docker, world: World, user: str, password: str = PASSWORD) -> bool:
    return docker.run("login", "--username", user, "--password", password, world.stack.registry).succeeded


def push(docker: Docker, world: World, image: str, name: str) -> bool:
    docker.run("tag", image, f"{world.stack.registry}/{name}")
    return docker.run("push", f"{world.stack.registry}/{name}").succeeded


def test_login_needs_the_right_password(docker: Docker, world: World) -> None:
    assert login(docker, world, world.viewer)
    assert not login(docker, world, world.viewer, "not-the-password")


def test_login_keeps_a_token_that_can_be_revoked_and_not_the_password(docker: Docker, world: World, image: str) -> None:
    name = f"{world.private}/{new_name('docker')}:1.0"
    assert login(docker, world, world.contributor)

    (kept,) = json.loads((docker.config / "config.json").read_text())["auths"].values()
    assert kept["identitytoken"].startswith("portus_rr_")
    assert base64.b64decode(kept["auth"]).decode() == f"{world.contributor}:"
    assert push(docker, world, image, name)

    contributor = world.stack.api("auth", world.contributor)
    newest = contributor.get("/api/v1/logins", sort_attr="id", sort_order="desc")[0]
    contributor.delete(f"/api/v1/logins/{newest['id']}")
    outcome = docker.run("pull", f"{world.stack.registry}/{name}")
    assert not outcome.succeeded
    assert "unauthorized: The login is over" in outcome.output


def test_push_and_pull_and_see(docker: Docker, world: World, image: str) -> None:
    """Case 39, the contributor's part."""
    name = f"{world.private}/{new_name('docker')}:1.0"
    assert login(docker, world, world.contributor)

    assert push(docker, world, image, name)
    docker.run("rmi", f"{world.stack.registry}/{name}")
    pulled = docker.run("pull", f"{world.stack.registry}/{name}")

    assert pulled.succeeded, pulled.output
    assert wait_for_tag(world.stack, name.removesuffix(":1.0"), "1.0")["pushed_by"] == world.contributor


def test_a_viewers_push_is_denied(docker: Docker, world: World, image: str) -> None:
    """Case 39, the viewer's part."""
    name = f"{world.private}/{new_name('docker')}"
    assert login(docker, world, world.viewer)
    docker.run("tag", image, f"{world.stack.registry}/{name}:1.0")

    outcome = docker.run("push", f"{world.stack.registry}/{name}:1.0")

    assert not outcome.succeeded
    assert "denied" in outcome.output
    assert not find_tags(world.stack, "admin", name)


def test_case_37_an_administrator_pushes_two_tags_to_the_global_namespace_at_once(
    docker: Docker, world: World, tmp_path: Path
) -> None:
    """Two images: of one layer pushed twice at once, registry 2.8 reads the link while the other push writes it.

    It answers "digest invalid" then (about one time in twenty), whoever issued the tokens.
    """
    name, tags = new_name("global"), ("1.0", "2.0")
    images = [import_image(docker, tmp_path) for _ in tags]
    assert login(docker, world, *ADMIN)

    with ThreadPoolExecutor(2) as pushing:
        done = list(pushing.map(lambda tag, image: push(docker, world, image, f"{name}:{tag}"), tags, images))

    assert done == [True, True]
    for tag in tags:
        wait_for_tag(world.stack, name, tag)


def test_case_38_nobody_else_pushes_to_the_global_namespace(docker: Docker, world: World, image: str) -> None:
    name = new_name("global")
    assert login(docker, world, world.contributor)
    docker.run("tag", image, f"{world.stack.registry}/{name}:1.0")

    outcome = docker.run("push", f"{world.stack.registry}/{name}:1.0")

    assert not outcome.succeeded
    assert "denied" in outcome.output
    assert not find_tags(world.stack, "admin", name)


def test_a_stranger_and_an_anonymous_caller_do_not_pull(
    docker: Docker, world: World, image: str, tmp_path: Path
) -> None:
    name = f"{world.private}/{new_name('docker')}:1.0"
    assert login(docker, world, world.contributor)
    assert push(docker, world, image, name)
    somebody = docker.as_someone(tmp_path / "somebody")

    anonymous = somebody.run("pull", f"{world.stack.registry}/{name}")
    assert login(somebody, world, world.stranger)
    stranger = somebody.run("pull", f"{world.stack.registry}/{name}")

    assert not anonymous.succeeded
    assert not stranger.succeeded


def test_a_public_image_is_pulled_without_login(docker: Docker, world: World, image: str, tmp_path: Path) -> None:
    name = f"{world.public}/{new_name('docker')}:1.0"
    assert login(docker, world, world.contributor)
    assert push(docker, world, image, name)

    outcome = docker.as_someone(tmp_path / "somebody").run("pull", f"{world.stack.registry}/{name}")

    assert outcome.succeeded, outcome.output


def test_a_second_repository_mounts_the_layers_of_the_first(docker: Docker, world: World, image: str) -> None:
    """docker asks for the source and the target at once; a partial grant must not end the push."""
    first, second = f"{world.private}/{new_name('docker')}:1.0", f"{world.public}/{new_name('docker')}:1.0"
    assert login(docker, world, world.contributor)
    assert push(docker, world, image, first)
    docker.run("tag", image, f"{world.stack.registry}/{second}")

    outcome = docker.run("push", f"{world.stack.registry}/{second}")

    assert outcome.succeeded, outcome.output
    assert "Mounted from" in outcome.output
