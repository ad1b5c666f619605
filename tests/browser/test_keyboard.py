"""From signing in to deleting a tag with nothing but a keyboard."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import House, make_house, stocked, world
from tests.support.auth import PASSWORD
from tests.support.serving import serving

__all__ = ["make_house", "stocked", "world"]

pytestmark = pytest.mark.xdist_group("chromium")

MOST_TABS = 120


def tab_to(page: Page, name: str) -> None:
    """Go from element to element until the one with this name has the focus."""
    named = "() => { const e = document.activeElement; return e.labels?.[0]?.innerText || e.ariaLabel || e.innerText; }"
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if str(page.evaluate(named)).strip() == name:
            return
    raise AssertionError(f"the keyboard does not come to {name!r} on {page.url}")


def test_signing_in_and_deleting_a_tag_by_keyboard_alone(chromium: Browser, world: tuple[House, str]) -> None:
    house, _digest = world
    with serving(house.portal) as url:
        page = chromium.new_context(base_url=url, locale="en-GB").new_page()
        page.goto("/sign-in?next=/r/docks/crane")
        expect(page.get_by_label("Name")).to_be_focused()
        page.keyboard.type("jane")
        tab_to(page, "Password")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("docks/crane")

        tab_to(page, "Choose 1.0")
        page.keyboard.press("Space")
        tab_to(page, "Delete the chosen tags…")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Delete 1 tag?")).to_be_visible()
        tab_to(page, "Delete 1 tag")
        page.keyboard.press("Enter")

        expect(page.get_by_text("1 tag is deleted.")).to_be_visible()
        expect(page.get_by_label("Choose 1.0")).to_have_count(0)
