"""What is in view follows the registry by itself, and never under somebody's hands."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.portal_peers import Peers, make_tag

pytestmark = pytest.mark.xdist_group("chromium")

AFTER_MS = 31_000


def test_a_new_tag_appears_by_itself(open_page: OpenPage, peers: Peers) -> None:
    repository = peers.add("team/application", make_tag("1.0"), public=True)
    page = open_page("/explore")
    page.clock.install()
    page.goto("/r/team/application")
    expect(page.locator(".tag-name")).to_have_text(["1.0"])

    repository.tags = [make_tag("2.0"), make_tag("1.0")]
    page.clock.run_for(AFTER_MS)

    expect(page.locator(".tag-name")).to_have_text(["2.0", "1.0"])


def test_nothing_changes_where_somebody_is_at_work(open_page: OpenPage, peers: Peers) -> None:
    repository = peers.add("team/application", make_tag("1.0"), public=True)
    page = open_page("/explore")
    page.clock.install()
    page.goto("/r/team/application")
    page.locator(".tag-name").focus()

    repository.tags = [make_tag("2.0"), make_tag("1.0")]
    page.clock.run_for(AFTER_MS)

    expect(page.locator(".tag-name")).to_have_text(["1.0"])
    expect(page.locator(".tag-name")).to_be_focused()
