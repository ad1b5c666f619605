"""Typing into the search suggests what may be meant."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.portal_peers import Peers, make_tag

pytestmark = pytest.mark.xdist_group("chromium")


def test_typing_suggests_what_one_may_see(open_page: OpenPage, peers: Peers) -> None:
    peers.add("team/application", make_tag("1.0"), public=True)
    page = open_page("/explore")

    page.get_by_role("combobox", name="Search").press_sequentially("applic")

    expect(page.locator("#suggestions option")).to_have_count(1)
    expect(page.locator("#suggestions option")).to_have_attribute("value", "team/application")
