"""buildah makes an image and pushes it: another client, with its own way of asking for tokens."""

from pathlib import Path

import pytest

from tests.e2e.conftest import World
from tests.e2e.test_first_way import find_tags, wait_for_tag
from tests.support.clients import Buildah
from tests.support.stack import PASSWORD, new_name


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello"
    path.write_text("hello")
    return path


def test_image_made_by_buildah_shows_up_and_comes_back(world: World, tmp_path: Path, hello: Path) -> None:
    name = f"{world.private}/{new_name('buildah')}"
    contributor = Buildah(tmp_path / "contributor", (world.contributor, PASSWORD))
    viewer = Buildah(tmp_path / "viewer", (world.viewer, PASSWORD))
    made = contributor.make_image("hello", hello)
    assert made.succeeded, made.output

    pushed = contributor.push("hello", f"{world.stack.registry}/{name}:1.0")
    assert pushed.succeeded, pushed.output
    pulled = viewer.pull(f"{world.stack.registry}/{name}:1.0")

    assert pulled.succeeded, pulled.output
    assert wait_for_tag(world.stack, name, "1.0")["pushed_by"] == world.contributor


def test_viewer_is_refused_by_buildah_too(world: World, tmp_path: Path, hello: Path) -> None:
    name = f"{world.private}/{new_name('buildah')}"
    viewer = Buildah(tmp_path / "viewer", (world.viewer, PASSWORD))
    made = viewer.make_image("hello", hello)
    assert made.succeeded, made.output

    refused = viewer.push("hello", f"{world.stack.registry}/{name}:1.0")

    assert not refused.succeeded
    assert find_tags(world.stack, "admin", name) == {}
