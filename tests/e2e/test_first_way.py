"""From a push to the portal, and who may not: with skopeo through a real registry."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World
from tests.support.oci_layout import make_image, make_index
from tests.support.stack import Stack, new_name
from tests.support.waiting import wait_until

PATIENCE_S = 60
"""A limit for waiting, not a promise: the benchmark measures how long it takes."""


def find_repository(stack: Stack, user: str | None, name: str) -> dict[str, Any] | None:
    found = stack.api("catalog", user).get("/api/v1/repositories", name=name)
    return found[0] if found else None


def find_tags(stack: Stack, user: str | None, name: str) -> dict[str, dict[str, Any]]:
    repository = find_repository(stack, user, name)
    if repository is None:
        return {}
    # A repository may go between the two questions, and its tags with it.
    tags = stack.api("catalog", user).find(f"/api/v1/repositories/{repository['id']}/tags", per_page=100)
    return {tag["name"]: tag for tag in tags or ()}


def wait_for_tag(stack: Stack, name: str, tag: str, *, known: bool = True) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = find_tags(stack, "admin", name).get(tag)
        return found if found and found["known"] >= known else None

    return wait_until(
        look, what=lambda: f"{name}:{tag} is in the catalog\n{stack.logs()[-4000:]}", timeout_s=PATIENCE_S
    )


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "image", "1.0")


def push(world: World, image: Path, user: str, name: str) -> None:
    outcome = world.stack.skopeo(user).push(image, "1.0", f"{name}:1.0")
    assert outcome.succeeded, outcome.output


def test_login_with_the_right_password(world: World, tmp_path: Path) -> None:
    outcome = world.stack.skopeo(world.viewer).login(tmp_path / "auth.json")

    assert outcome.succeeded, outcome.output


def test_login_with_a_wrong_password_is_refused(world: World, tmp_path: Path) -> None:
    skopeo = world.stack.skopeo(world.viewer)
    wrong = type(skopeo)(skopeo.registry, (world.viewer, "not-the-password"))

    assert not wrong.login(tmp_path / "auth.json").succeeded


@pytest.mark.parametrize("role", ["contributor", "owner"])
def test_cases_49_and_60_a_push_shows_up_with_author_platform_and_size(world: World, image: Path, role: str) -> None:
    name, author = f"{world.private}/{new_name('app')}", getattr(world, role)

    push(world, image, author, name)

    tag = wait_for_tag(world.stack, name, "1.0")
    assert tag["pushed_by"] == author
    assert [(one["os"], one["architecture"]) for one in tag["platforms"]] == [("linux", "amd64")]
    assert tag["size_bytes"] == sum(
        blob.stat().st_size for blob in (image / "blobs/sha256").iterdir()
    ) - _manifest_bytes(image)


def _manifest_bytes(image: Path) -> int:
    return int(json.loads((image / "index.json").read_text())["manifests"][0]["size"])


def test_case_61_an_index_is_one_tag_with_its_platforms(world: World, tmp_path: Path) -> None:
    name = f"{world.private}/{new_name('multi')}"
    layout = make_index(tmp_path / "index", "3.1")

    outcome = world.stack.skopeo(world.contributor).push(layout, "3.1", f"{name}:3.1", every_platform=True)

    assert outcome.succeeded, outcome.output
    tag = wait_for_tag(world.stack, name, "3.1")
    assert [one["architecture"] for one in tag["platforms"]] == ["amd64", "arm64"]
    assert list(find_tags(world.stack, "admin", name)) == ["3.1"]


def test_a_viewer_pulls_but_does_not_push(world: World, image: Path, tmp_path: Path) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, image, world.contributor, name)
    viewer = world.stack.skopeo(world.viewer)

    pulled = viewer.pull(f"{name}:1.0", tmp_path / "pulled")
    refused = viewer.push(image, "1.0", f"{name}:2.0")

    assert pulled.succeeded, pulled.output
    assert not refused.succeeded
    assert "2.0" not in find_tags(world.stack, "admin", name)


@pytest.mark.parametrize("user", ["stranger", None], ids=["stranger", "anonymous"])
def test_a_private_image_is_neither_pulled_nor_shown(
    world: World, image: Path, tmp_path: Path, user: str | None
) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, image, world.contributor, name)
    repository = wait_for_tag(world.stack, name, "1.0") and find_repository(world.stack, "admin", name)
    assert repository
    who = user and world.stranger

    refused = world.stack.skopeo(who).pull(f"{name}:1.0", tmp_path / "pulled")

    assert not refused.succeeded
    assert find_repository(world.stack, who, name) is None
    world.stack.api("catalog", who).get(f"/api/v1/repositories/{repository['id']}", expect=404)
    world.stack.api("catalog", who).get(f"/api/v1/repositories/{repository['id']}/tags", expect=404)


def test_anybody_pulls_a_public_image(world: World, image: Path, tmp_path: Path) -> None:
    name = f"{world.public}/{new_name('app')}"
    push(world, image, world.contributor, name)

    outcome = world.stack.skopeo().pull(f"{name}:1.0", tmp_path / "pulled")

    assert outcome.succeeded, outcome.output
    wait_until(lambda: find_repository(world.stack, None, name), what="shown to anonymous callers")


def test_a_stranger_may_not_push_to_a_public_namespace(world: World, image: Path) -> None:
    name = f"{world.public}/{new_name('app')}"

    refused = world.stack.skopeo(world.stranger).push(image, "1.0", f"{name}:1.0")

    assert not refused.succeeded
    assert find_repository(world.stack, "admin", name) is None


def test_cases_56_and_66_a_pull_is_counted_once_and_not_our_own(world: World, image: Path, tmp_path: Path) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, image, world.contributor, name)
    wait_for_tag(world.stack, name, "1.0")
    assert find_tags(world.stack, "admin", name)["1.0"]["pulls"] == 0

    world.stack.skopeo(world.viewer).pull(f"{name}:1.0", tmp_path / "pulled")

    tag = wait_until(
        lambda: (found := find_tags(world.stack, "admin", name)["1.0"])["pulls"] and found,
        what="the pull is counted",
    )
    assert tag["pulls"] == 1
    assert tag["pulled_at"]


def test_layers_are_mounted_from_a_repository_that_may_be_read(world: World, image: Path) -> None:
    source, target = f"{world.private}/{new_name('app')}", f"{world.public}/{new_name('copy')}"
    push(world, image, world.contributor, source)

    outcome = world.stack.skopeo(world.contributor).copy(f"{source}:1.0", f"{target}:1.0")

    assert outcome.succeeded, outcome.output
    wait_for_tag(world.stack, target, "1.0")


def test_case_51_an_overwritten_tag_shows_its_new_digest(world: World, tmp_path: Path) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, make_image(tmp_path / "old", "1.0"), world.contributor, name)
    before = wait_for_tag(world.stack, name, "1.0")

    push(world, make_image(tmp_path / "new", "1.0"), world.owner, name)

    after = wait_until(
        lambda: (tag := wait_for_tag(world.stack, name, "1.0"))["digest"] != before["digest"] and tag,
        what="the tag shows the new digest",
    )
    assert after["pushed_by"] == world.owner


def test_a_deletion_by_the_owner_leaves_the_catalog(world: World, image: Path) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, image, world.contributor, name)
    wait_for_tag(world.stack, name, "1.0")

    refused = world.stack.skopeo(world.contributor).delete(f"{name}:1.0")
    done = world.stack.skopeo(world.owner).delete(f"{name}:1.0")

    assert not refused.succeeded
    assert done.succeeded, done.output
    # A repository without tags is not shown.
    wait_until(lambda: not find_repository(world.stack, "admin", name), what="the repository is gone")
