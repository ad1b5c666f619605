"""The whole life of a team: everything in a real browser, every image with a real client, every service real."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import make_stack
from tests.support.clients import Skopeo
from tests.support.oci_layout import make_image
from tests.support.stack import PASSWORD, Stack
from tests.support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("chromium")

APP = "docks/crane"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Stack]:
    """An installation of its own, in which people may sign up."""
    (tmp_path / "stack").mkdir()
    stack = make_stack("embedded", tmp_path / "stack", PORTUS_SIGNUP_ENABLED="true")
    try:
        yield stack.start()
    finally:
        stack.stop()


def sign_up(chromium: Browser, installation: Stack, name: str) -> BrowserContext:
    context = chromium.new_context(base_url=installation.url("web"), locale="en-GB")
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Mail").fill(f"{name}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Welcome, {name}")
    page.close()
    return context


def open_until(page: Page, path: str, text: str) -> None:
    """Load a page until it holds a text: the index follows the registry within a moment."""

    def look() -> bool:
        page.goto(path)
        return text in page.content()

    wait_until(look, what=lambda: f"{text!r} on {path}", timeout_s=60)


def make_robot(page: Page) -> tuple[str, str]:
    """Make a team, its namespace, and a robot that pushes there; return what it logs in with."""
    page.goto("/teams")
    page.get_by_role("link", name="New team").click()
    page.get_by_label("Name", exact=True).fill("harbour")
    page.get_by_role("button", name="Make the team").click()
    page.get_by_role("navigation", name="Parts of the team").get_by_role("link", name="Namespaces").click()
    page.get_by_role("main").get_by_role("link", name="New namespace").click()
    page.get_by_label("Name", exact=True).fill("docks")
    expect(page.get_by_label("Team", exact=True)).to_have_value("harbour")
    page.get_by_role("button", name="Make the namespace").click()
    page.get_by_role("link", name="Robots").click()
    page.get_by_role("link", name="New robot").click()
    page.get_by_label("Name", exact=True).fill("ci")
    page.get_by_label("push").check()
    page.get_by_role("button", name="Make the robot").click()
    expect(page.get_by_text("This secret is shown once")).to_be_visible()
    secret = page.locator(".secret code").first.inner_text()
    login = page.locator(".secret code").nth(1).inner_text()
    found = re.search(r"--username (\S+)", login)
    assert found
    return found[1].strip("'"), secret


def test_the_whole_life_of_a_team(chromium: Browser, installation: Stack, tmp_path: Path) -> None:
    nora = sign_up(chromium, installation, "nora")
    page = nora.new_page()
    robot = Skopeo(installation.registry, make_robot(page))

    for tag, folder in (("1.0", "first"), ("2.0", "second")):
        outcome = robot.push(make_image(tmp_path / folder, tag), tag, f"{APP}:{tag}")
        assert outcome.succeeded, outcome.output
    open_until(page, f"/r/{APP}", "2.0")
    page.get_by_role("link", name="1.0", exact=True).click()
    expect(page.get_by_role("heading", name="Layers")).to_be_visible()
    first = page.locator("dd code").first.inner_text()

    outcome = robot.push(make_image(tmp_path / "third", "1.0"), "1.0", f"{APP}:1.0")
    assert outcome.succeeded, outcome.output
    open_until(page, f"/r/{APP}/-/history/1.0", "Overwritten")
    page.get_by_role("link", name="Compare with the one before").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Compare")
    page.go_back()
    page.get_by_role("link", name=re.compile("^Restore")).click()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("status").first).to_contain_text("again")
    open_until(page, f"/r/{APP}/-/tags/1.0", first)

    page.goto(f"/r/{APP}")
    page.get_by_label("Choose 2.0").check()
    page.get_by_role("button", name="Delete the chosen tags…").click()
    expect(page.get_by_text("garbage collection gives back")).to_be_visible()
    page.get_by_role("button", name="Delete 1 tag").click()
    expect(page.get_by_text("1 tag is deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="2.0", exact=True)).to_have_count(0)


def test_a_refused_push_leads_to_its_explanation(chromium: Browser, installation: Stack, tmp_path: Path) -> None:
    nora, mallory = sign_up(chromium, installation, "nora"), sign_up(chromium, installation, "mallory")
    make_robot(nora.new_page())
    refused = Skopeo(installation.registry, ("mallory", PASSWORD)).push(
        make_image(tmp_path / "image", "1.0"), "1.0", f"{APP}:1.0"
    )

    assert not refused.succeeded
    link = re.search(r"https?://[^\s\"]+(/explain/[^\s\"\\]+)", refused.output)
    assert link, refused.output
    page = mallory.new_page()
    # Records are written in batches, a moment after the answer.
    open_until(page, link[1], "may not push")

    expect(page.get_by_role("heading", level=1)).to_have_text(f"mallory may not push to {APP}")
