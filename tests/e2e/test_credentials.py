"""Application tokens and robots in real clients: what each may push, from where, and how long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World
from tests.support.clients import Outcome, Skopeo
from tests.support.docker_engine import Docker
from tests.support.oci_layout import make_image
from tests.support.stack import new_name
from tests.support.waiting import wait_until


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "image", "1.0")


def namespace_id(world: World, name: str) -> int:
    (namespace,) = world.stack.api("auth", world.owner).get("/api/v1/namespaces", name=name)
    return int(namespace["id"])


def make_robot(world: World, **wanted: Any) -> dict[str, Any]:
    """Let the owner make one in the private namespace that may push what begins with ``ci-``."""
    wanted = {
        "name": new_name("ci"),
        "namespace_id": namespace_id(world, world.private),
        "permissions": [{"pattern": f"{world.private}/ci-*", "actions": ["pull", "push"]}],
        **wanted,
    }
    robot: dict[str, Any] = world.stack.api("auth", world.owner).post("/api/v1/robots", wanted)
    return robot


def make_token(world: World, user: str, **wanted: Any) -> dict[str, Any]:
    wanted = {"application": new_name("laptop"), **wanted}
    token: dict[str, Any] = world.stack.api("auth", user).post("/api/v1/application_tokens", wanted)
    return token


def push(world: World, image: Path, user: str, secret: str, name: str) -> Outcome:
    return Skopeo(world.stack.registry, (user, secret)).push(image, "1.0", f"{name}:1.0")


def test_an_application_token_pushes_as_its_person_until_it_is_revoked(world: World, image: Path) -> None:
    token, name = make_token(world, world.contributor), f"{world.private}/{new_name('app')}"

    first = push(world, image, world.contributor, token["plain_token"], name)
    assert first.succeeded, first.output
    world.stack.api("auth", world.contributor).delete(f"/api/v1/application_tokens/{token['id']}")

    after = push(world, image, world.contributor, token["plain_token"], name)
    assert not after.succeeded


def test_a_narrowed_token_opens_what_it_names_and_no_more(world: World, image: Path, tmp_path: Path) -> None:
    token = make_token(world, world.contributor, actions=["pull"], namespaces=[world.private])["plain_token"]
    name = f"{world.private}/{new_name('app')}"
    world.stack.skopeo(world.contributor).push(image, "1.0", f"{name}:1.0")
    narrowed = Skopeo(world.stack.registry, (world.contributor, token))

    pulled = narrowed.pull(f"{name}:1.0", tmp_path / "pulled")
    pushed = narrowed.push(image, "1.0", f"{name}:2.0")

    assert pulled.succeeded, pulled.output
    assert not pushed.succeeded
    assert "token" in pushed.output


def test_a_robot_pushes_what_its_pattern_names_also_what_is_new(world: World, image: Path) -> None:
    robot = make_robot(world)

    inside = push(world, image, robot["username"], robot["secret"], f"{world.private}/{new_name('ci')}")
    beside = push(world, image, robot["username"], robot["secret"], f"{world.private}/{new_name('app')}")
    elsewhere = push(world, image, robot["username"], robot["secret"], f"{world.public}/{new_name('ci')}")

    assert inside.succeeded, inside.output
    assert not beside.succeeded
    assert not elsewhere.succeeded
    owner = world.stack.api("auth", world.owner)
    wait_until(lambda: owner.get(f"/api/v1/robots/{robot['id']}")["last_used_at"], what="the use is noted")


@pytest.mark.parametrize(("network", "allowed"), [("127.0.0.0/8", True), ("203.0.113.0/24", False)])
def test_a_robot_is_let_in_from_its_addresses_only(world: World, image: Path, network: str, allowed: bool) -> None:
    robot = make_robot(world, allowed_addresses=[network])

    outcome = push(world, image, robot["username"], robot["secret"], f"{world.private}/{new_name('ci')}")

    assert outcome.succeeded is allowed, outcome.output


def test_docker_logs_in_as_a_robot(world: World, docker: Docker) -> None:
    robot = make_robot(world)

    right = docker.run("login", "-u", robot["username"], "-p", robot["secret"], world.stack.registry)
    wrong = docker.run("login", "-u", robot["username"], "-p", robot["secret"][:-1] + "x", world.stack.registry)

    assert right.succeeded, right.output
    assert not wrong.succeeded


def test_a_robots_secret_changes_under_pushes_that_go_on(world: World, image: Path) -> None:
    """Promise: with two live secrets nobody has to stop: first the new one, then the pipeline, then the old one."""
    robot, owner = make_robot(world), world.stack.api("auth", world.owner)
    (old,) = owner.get(f"/api/v1/robots/{robot['id']}")["secrets"]
    used = [robot["secret"]]

    with pushing(world, image, robot["username"], used) as outcomes:
        wait_until(lambda: len(outcomes) >= 2, what="pushes with the old secret")
        used.append(owner.post(f"/api/v1/robots/{robot['id']}/secrets", {})["secret"])
        changed = len(outcomes)
        wait_until(lambda: len(outcomes) >= changed + 3, what="pushes with the new secret")
        owner.delete(f"/api/v1/robots/{robot['id']}/secrets/{old['id']}")
        revoked = len(outcomes)
        wait_until(lambda: len(outcomes) >= revoked + 3, what="pushes after the old one has ended")

    assert [outcome.output for outcome in outcomes if not outcome.succeeded] == []
    late = push(world, image, robot["username"], robot["secret"], f"{world.private}/{new_name('ci')}")
    assert not late.succeeded


@contextmanager
def pushing(world: World, image: Path, user: str, secrets: list[str]) -> Iterator[list[Outcome]]:
    """Push to new repositories, one after the other, each with the last of the secrets; yield the outcomes."""
    outcomes: list[Outcome] = []
    stop = threading.Event()

    def push_on() -> None:
        while not stop.is_set():
            outcomes.append(push(world, image, user, secrets[-1], f"{world.private}/{new_name('ci')}"))

    thread = threading.Thread(target=push_on, daemon=True)
    thread.start()
    try:
        yield outcomes
    finally:
        stop.set()
        thread.join(60)


def test_a_grant_lets_a_stranger_push_what_it_names_until_it_is_taken(world: World, image: Path) -> None:
    owner, stranger = world.stack.api("auth", world.owner), world.stack.skopeo(world.stranger)
    name = f"{world.private}/{new_name('shared')}"
    grant = owner.post(
        f"/api/v1/namespaces/{namespace_id(world, world.private)}/grants",
        {"user": world.stranger, "actions": ["pull", "push"], "pattern": f"{world.private}/shared-*"},
    )

    inside, beside = stranger.push(image, "1.0", f"{name}:1.0"), stranger.push(image, "1.0", f"{world.private}/x:1.0")
    assert inside.succeeded, inside.output
    assert not beside.succeeded
    owner.delete(f"/api/v1/grants/{grant['id']}")
    assert not stranger.push(image, "1.0", f"{name}:2.0").succeeded


def test_a_frozen_repository_takes_no_push_and_says_why(world: World, image: Path, tmp_path: Path) -> None:
    owner, contributor = world.stack.api("auth", world.owner), world.stack.skopeo(world.contributor)
    path = f"/api/v1/namespaces/{namespace_id(world, world.private)}/freezes"
    name = new_name("frozen")
    first = contributor.push(image, "1.0", f"{world.private}/{name}:1.0")
    assert first.succeeded, first.output
    freeze = owner.post(path, {"repository": f"{world.private}/{name}", "reason": "The release is being tested."})

    refused = contributor.push(image, "1.0", f"{world.private}/{name}:2.0")
    elsewhere = contributor.push(image, "1.0", f"{world.private}/{new_name('open')}:1.0")
    pulled = contributor.pull(f"{world.private}/{name}:1.0", tmp_path / "pulled")

    assert not refused.succeeded
    assert "The release is being tested." in refused.output
    assert elsewhere.succeeded, elsewhere.output
    assert pulled.succeeded, pulled.output
    owner.delete(f"{path}/{freeze['id']}")
    thawed = contributor.push(image, "1.0", f"{world.private}/{name}:2.0")
    assert thawed.succeeded, thawed.output
