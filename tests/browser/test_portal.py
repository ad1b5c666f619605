"""What people do in the portal, with a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, sign_in
from tests.support.portal_peers import Peers, make_index_tag, make_tag

pytestmark = pytest.mark.xdist_group("chromium")

PULL = "docker pull registry.test:5000/team/app:latest"


@pytest.fixture(autouse=True)
def repositories(peers: Peers) -> None:
    peers.add("busybox", make_tag(), public=True)
    peers.add(
        "team/app",
        make_tag("latest", letter="a"),
        make_tag("2.0", letter="a", pushed_by="evilé <script>alert(1)</script>"),
        make_index_tag("1.0", "amd64", "arm64", "s390x", "ppc64le", letter="b"),
    )


def copied_by(page: Page, name: str) -> str:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("#announcements")).to_contain_text("Copied: ")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_person_signs_in_finds_a_repository_and_signs_out(open_page: OpenPage) -> None:
    page = open_page("/")

    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Jane Harbourmaster")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Repositories").click()
    page.get_by_role("link", name="team/app").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("team/app")
    expect(page.get_by_role("row")).to_have_count(4)

    page.get_by_text("Jane Harbourmaster").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("main")).to_contain_text("You are signed out.")
    page.goto("/repositories")
    expect(page).to_have_url("/sign-in?next=/repositories")


def test_wrong_password_can_be_corrected_at_once(open_page: OpenPage) -> None:
    page = open_page("/sign-in")

    sign_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("jane")


@pytest.mark.parametrize(
    ("button", "text"),
    [
        ("Copy pull command", PULL),
        ("Copy the pull command of latest", PULL),
        ("Copy the pull command of 2.0", "docker pull registry.test:5000/team/app:2.0"),
        ("Copy digest bbbbbbbbbbbb", "sha256:" + "b" * 64),
    ],
)
def test_commands_and_digests_are_copied_and_confirmed_in_words(open_page: OpenPage, button: str, text: str) -> None:
    page = open_page("/r/team/app", signed_in=True)

    assert copied_by(page, button) == text
    expect(page.locator("#announcements")).to_have_text(f"Copied: {text}")


def test_runtime_is_chosen_once_for_all_commands(open_page: OpenPage) -> None:
    page = open_page("/r/team/app", signed_in=True)

    page.locator(".runtime > summary").click()
    page.get_by_role("button", name="podman").click()

    expect(page.locator(".command-box code")).to_have_text("podman pull registry.test:5000/team/app:latest")
    expect(page).to_have_url("/r/team/app")


def test_slash_puts_the_cursor_into_the_search(open_page: OpenPage) -> None:
    page = open_page("/r/team/app", signed_in=True)

    page.keyboard.press("/")
    page.keyboard.type("busy/")
    expect(page.get_by_label("Search", exact=True)).to_have_value("busy/")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")

    expect(page).to_have_url("/search?q=busy")
    expect(page.get_by_role("heading", name="Repositories")).to_be_visible()


def test_slash_typed_into_a_field_is_a_slash(open_page: OpenPage) -> None:
    page = open_page("/repositories", signed_in=True)

    page.get_by_label("Filter by name").click()
    page.keyboard.type("team/app")

    expect(page.get_by_label("Filter by name")).to_have_value("team/app")


def test_further_platforms_open_and_close(open_page: OpenPage) -> None:
    page = open_page("/r/team/app", signed_in=True)
    rest = page.get_by_text("linux/ppc64le")

    expect(rest).to_be_hidden()
    page.get_by_text("+2").click()
    expect(rest).to_be_visible()
    page.keyboard.press("Escape")
    expect(rest).to_be_hidden()


def test_theme_changes_without_loading_the_page_and_is_remembered(open_page: OpenPage) -> None:
    page = open_page("/repositories", signed_in=True)
    page.evaluate("window.loadedOnce = true")
    ground = "getComputedStyle(document.body).backgroundColor"

    page.locator("summary:has-text('Theme')").click()
    page.get_by_role("button", name="Dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) == "rgb(14, 22, 32)"
    assert page.evaluate("window.loadedOnce") is True
    page.reload()
    assert page.evaluate(ground) == "rgb(14, 22, 32)"


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(246, 248, 250)"), ("dark", "rgb(14, 22, 32)")])
def test_theme_follows_the_system_until_one_is_chosen(open_page: OpenPage, scheme: str, ground: str) -> None:
    page = open_page("/explore", color_scheme=scheme)

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_public_repository_is_found_without_signing_in(open_page: OpenPage) -> None:
    page = open_page("/explore")

    page.get_by_role("link", name="busybox").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("busybox")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_tables_have_rows_of_44_pixels(open_page: OpenPage) -> None:
    page = open_page("/r/team/app", signed_in=True, viewport={"width": 1280, "height": 800})

    heights = page.eval_on_selector_all("tbody tr", "rows => rows.map(row => row.getBoundingClientRect().height)")

    assert {round(height) for height in heights} <= {44, 45}


def test_everything_but_copying_works_without_a_script(open_page: OpenPage, peers: Peers) -> None:
    page = open_page("/sign-in", java_script_enabled=False)

    sign_in(page)
    page.goto("/repositories")
    page.get_by_label("Filter by name").fill("app")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="team/app").click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_text("+2").click()
    expect(page.get_by_text("linux/ppc64le")).to_be_visible()

    expect(page.locator("[data-copy]").first).to_be_hidden()
    page.locator(".without-script > summary").first.click()
    expect(page.locator(".pull-cell code").first).to_have_text(PULL)

    page.locator(".topbar-end .menu > summary").first.click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_text("Jane Harbourmaster").click()
    page.get_by_role("button", name="Sign out").click()
    assert peers.sessions == {}


MANY_MARKS: dict[str, Any] = {
    "immutable": True,
    "overwritten": True,
    "referrer_kinds": ["sbom", "attestation", "signature"],
}
SCAN = {"state": "done", "severity": "Critical", "counts": {"Critical": 1}, "total": 1}


def test_names_of_tags_stay_whole_beside_many_marks_and_scans(open_page: OpenPage, peers: Peers) -> None:
    peers.add(
        "docks/crane",
        make_tag("v1.0", letter="a", pushed_by="portus immutability", scan=SCAN, **MANY_MARKS),
        make_index_tag("v2.0", "amd64", "arm64", letter="b", scan=SCAN),
        make_index_tag("latest", "amd64", "arm64", letter="b", scan=SCAN),
        make_tag("stable", letter="a", scan=SCAN, **MANY_MARKS),
        public=True,
    )
    for width in (1280, 1152, 320):
        page = open_page("/r/docks/crane", viewport={"width": width, "height": 800}, locale="de")

        heights = page.locator(".tag-name").evaluate_all("names => names.map(name => name.clientHeight)")
        # One line has 20 pixels, two have 40.
        assert len(heights) == 4
        assert max(heights) < 30
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
