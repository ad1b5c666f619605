"""What people see in the portal, with every service real: the last step of the first way."""

import html
import re
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import World
from tests.support.oci_layout import make_image, make_index
from tests.support.stack import ADMIN, PASSWORD, new_name
from tests.support.waiting import wait_until

PATIENCE_S = 60


class Visitor:
    """A browser without a script."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self._session.get(self._url + path, timeout=20)

    def send(self, page: str, path: str, **fields: str) -> requests.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert token, f"{page} holds no form"
        form = {"csrf_token": html.unescape(token[1]), **fields}
        return self._session.post(self._url + path, data=form, timeout=20)

    def sign_in(self, username: str, password: str = PASSWORD) -> requests.Response:
        return self.send("/sign-in", "/sign-in", username=username, password=password)

    def wait_for(self, path: str, text: str) -> str:
        """Load a page until it holds a text, and return it."""

        def look() -> str | None:
            page = self.get(path).text
            return page if text in page else None

        return wait_until(look, what=lambda: f"{text!r} on {path}:\n{self.get(path).text}", timeout_s=PATIENCE_S)


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world.stack.url("web"))


def push(world: World, layout: Path, name: str) -> None:
    outcome = world.stack.skopeo(world.owner).push(layout, "1.0", f"{name}:1.0", every_platform=True)
    assert outcome.succeeded, outcome.output


def test_pushed_image_is_seen_with_author_platforms_and_pull_command(
    world: World, visitor: Visitor, tmp_path: Path
) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, make_index(tmp_path / "image", "1.0"), name)
    visitor.sign_in(world.viewer)

    page = visitor.wait_for(f"/r/{name}", "linux/arm64")

    assert "linux/amd64" in page
    assert f"<bdi>{world.owner}</bdi>" in page
    assert f'data-copy="docker pull {world.stack.registry}/{name}:1.0"' in page
    assert f'href="/r/{name}"' in visitor.get(f"/repositories?q={name}").text


def test_stranger_and_passer_by_do_not_see_a_private_repository(world: World, visitor: Visitor, tmp_path: Path) -> None:
    name = f"{world.private}/{new_name('app')}"
    push(world, make_image(tmp_path / "image", "1.0"), name)
    owner = Visitor(world.stack.url("web"))
    owner.sign_in(world.owner)
    owner.wait_for(f"/r/{name}", "1.0")

    passing_by = visitor.get(f"/r/{name}")
    visitor.sign_in(world.stranger)

    assert passing_by.status_code == visitor.get(f"/r/{name}").status_code == 404
    assert f'href="/r/{name}"' not in visitor.get(f"/repositories?q={name}").text


def test_public_repository_is_seen_without_signing_in(world: World, visitor: Visitor, tmp_path: Path) -> None:
    name = f"{world.public}/{new_name('app')}"
    push(world, make_image(tmp_path / "image", "1.0"), name)

    visitor.wait_for(f"/explore?q={name}", f'href="/r/{name}"')
    assert visitor.get(f"/r/{name}").status_code == 200


def test_wrong_password_is_refused(world: World, visitor: Visitor) -> None:
    assert visitor.sign_in(world.viewer, "wrong").status_code == 401


def test_after_signing_out_nothing_is_shown_any_more(world: World, visitor: Visitor) -> None:
    visitor.sign_in(world.viewer)
    assert visitor.get("/repositories").url.endswith("/repositories")

    visitor.send("/repositories", "/sign-out")

    assert visitor.get("/repositories").url.endswith("/sign-in?next=/repositories")


def test_administrators_see_that_the_registry_is_reached(visitor: Visitor) -> None:
    visitor.sign_in(*ADMIN)

    for path in ("/admin/registries", "/admin/registries/1"):
        page = visitor.get(path).text
        assert "stamp-allowed" in page
        assert "stamp-refused" not in page
