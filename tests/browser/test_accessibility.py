"""What everybody needs to find their way: names, one title, a keyboard that is enough, small screens.

Source: WCAG 2.2 A and AA, as far as a page can be asked.
"""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.portal_peers import NOW, Peers, digest_of, make_artifact, make_index_tag, make_period, make_tag

pytestmark = pytest.mark.xdist_group("chromium")

LONG_NAME = "team/a-very-long-name-that-somebody-made-up-in-a-hurry-and-never-changed/" + "x" * 60
PAGES = {
    "/explore": False,
    "/sign-in": False,
    "/r/no/such": False,
    "/repositories": True,
    "/repositories?q=none": True,
    "/r/team/app": True,
    f"/r/{LONG_NAME}": True,
    "/r/team/app/-/tags/latest": True,
    "/r/team/app/-/history/latest": True,
    f"/r/team/app/-/history/latest/restore/{digest_of('b')}": True,
    "/repositories?page=x": True,
}

every_page = pytest.mark.parametrize(("path", "signed_in"), PAGES.items(), ids=list(PAGES))

UNLABELLED = """
() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter(field => !field.labels?.length && !field.ariaLabel).map(field => field.outerHTML)
"""
NAMELESS = """
() => [...document.querySelectorAll('a[href], button, summary')]
  .filter(element => !element.textContent.trim() && !element.ariaLabel).map(element => element.outerHTML)
"""
PICTURES = """
() => [...document.querySelectorAll('img:not([alt]), svg:not([aria-hidden=true]):not([role=img])')]
  .map(element => element.outerHTML)
"""
TWICE = """
() => { const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
        return ids.filter((id, index) => ids.indexOf(id) !== index); }
"""
SKIPPED_LEVELS = """
() => { const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(title => Number(title.tagName[1]));
        return levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1); }
"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
TABLE_TOO_WIDE = """
() => [...document.querySelectorAll('.panel')].map(panel => panel.scrollWidth - panel.clientWidth)
"""
TOO_SMALL = """
() => [...document.querySelectorAll('a.btn, button, summary, .rail-link')].filter(element => {
  const box = element.getBoundingClientRect(); return box.width && (box.width < 24 || box.height < 24);
}).map(element => element.outerHTML)
"""


@pytest.fixture(autouse=True)
def repositories(peers: Peers) -> None:
    index = make_index_tag("0.9", "ppc64le", "mips64le", "s390x", letter="c", size_bytes=1023 * 1024**2)
    tags = [make_tag(name, letter=letter) for name, letter in zip(("4", "3", "latest", "1"), "abab", strict=True)]
    widest = {**index, "pushed_by": "x" * 100, "pulled_at": (NOW - timedelta(minutes=59)).isoformat()}
    peers.add("team/app", *tags, widest, make_tag("pending", known=False, platforms=[]), public=True)
    signature = {"digest": digest_of("d"), "kind": "signature", "artifact_type": "application/" + "x" * 80}
    peers.referrers = [{**signature, "pushed_by": "x" * 100, "pushed_at": NOW.isoformat()}]
    config = {"env": ["PATH=" + "/bin:" * 40, "DB_PASSWORD=x"], "secret_env": ["DB_PASSWORD"], "user": "65532"}
    annotations = {"a." * 40 + "source": "https://example.test/" + "x" * 120}
    peers.artifacts = {"latest": make_artifact(referrers=1, config=config, annotations=annotations)}
    peers.periods["latest"] = [make_period("a", days_ago=2), make_period("b", days_ago=3, end="overwritten")]
    peers.add(LONG_NAME, make_tag("sha256-" + "0" * 64 + ".sig", letter="c"))


@every_page
def test_every_part_of_a_page_has_a_name(open_page: OpenPage, path: str, signed_in: bool) -> None:
    page = open_page(path, signed_in=signed_in)

    for question in (UNLABELLED, NAMELESS, PICTURES, TWICE, SKIPPED_LEVELS):
        assert page.evaluate(question) == []


@every_page
def test_page_has_one_title_a_language_and_landmarks(open_page: OpenPage, path: str, signed_in: bool) -> None:
    page = open_page(path, signed_in=signed_in)

    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title().endswith(" · Portus")
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1


@every_page
def test_no_page_scrolls_sideways(open_page: OpenPage, path: str, signed_in: bool) -> None:
    page = open_page(path, signed_in=signed_in)

    for width in (320, 375, 768, 900, 1024, 1200, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(TOO_WIDE) <= 0, f"{width} pixels"
        assert all(excess <= 0 for excess in page.evaluate(TABLE_TOO_WIDE)), f"{width} pixels"


@every_page
def test_targets_are_large_enough_for_a_finger(open_page: OpenPage, path: str, signed_in: bool) -> None:
    page = open_page(path, signed_in=signed_in, viewport={"width": 375, "height": 800})

    assert page.evaluate(TOO_SMALL) == []


def test_first_key_offers_to_skip_to_the_content(open_page: OpenPage) -> None:
    page = open_page("/explore")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()


def _outlines(page: Page) -> list[tuple[str, str]]:
    """Go through a page by keyboard and return what was focused and how it is outlined."""
    focused: list[tuple[str, str]] = []
    while len(focused) < 100:
        page.keyboard.press("Tab")
        tag, outline = page.evaluate(
            "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
        )
        if tag == "BODY":
            return focused
        focused.append((tag, outline))
    raise AssertionError("the keyboard never leaves the page")


def test_focus_is_visible_wherever_the_keyboard_goes(open_page: OpenPage) -> None:
    focused = _outlines(open_page("/r/team/app", signed_in=True))

    assert len(focused) > 15
    assert {outline for _tag, outline in focused} == {"solid"}


def test_table_stays_a_table_for_those_who_listen_when_it_looks_like_cards(open_page: OpenPage) -> None:
    page = open_page("/r/team/app", signed_in=True, viewport={"width": 375, "height": 800})

    assert page.get_by_role("columnheader").count() == 7
    assert page.get_by_role("row").count() == 7


def test_navigation_folds_on_a_small_screen(open_page: OpenPage) -> None:
    page = open_page("/repositories", signed_in=True, viewport={"width": 375, "height": 800})
    link = page.get_by_role("link", name="Explore")

    expect(link).to_be_hidden()
    page.locator(".topbar-fold > summary").click()
    link.click()

    expect(page).to_have_url("/explore")


def test_nothing_moves_for_those_who_asked_for_that(open_page: OpenPage) -> None:
    page = open_page("/explore", reduced_motion="reduce")

    durations = page.eval_on_selector_all(
        "a, button, .icon-button", "elements => elements.map(element => getComputedStyle(element).transitionDuration)"
    )

    assert set(durations) == {"0s"}
