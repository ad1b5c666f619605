"""``/search``: what is found, for whom, and where a pasted reference leads."""

from tests.api.web.conftest import Browser
from tests.support.portal_peers import Peers, digest_of, make_tag


def test_what_is_found_is_shown_by_kind(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("app-1", labels={"app.version": "1 & 2"}))

    page = jane.get("/search?q=app").text

    for title in ("Repositories", "Tags", "Labels and annotations"):
        assert f">{title}</h2>" in page
    assert ">Digests</h2>" not in page
    assert 'href="/r/team/app/-/tags/app-1"' in page
    assert "app.version=1 &amp; 2" in page


def test_a_digest_leads_to_its_manifest(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("1.0"))

    page = jane.get("/search?q=aaaaaaa").text

    assert f'href="/r/team/app/-/digests/{digest_of("a")}"' in page


def test_a_pasted_reference_leads_right_there(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("1.0"))

    answer = jane.get("/search?q=team/app:1.0")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/r/team/app/-/tags/1.0")


def test_everybody_finds_what_is_public(browser: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())
    peers.add("busybox-app", make_tag(), public=True)

    page = browser.get("/search?q=app").text

    assert "busybox-app" in page
    assert "/r/team/app" not in page


def test_nothing_asked_and_nothing_found_are_told_apart(jane: Browser, peers: Peers) -> None:
    assert "What are you looking for?" in jane.get("/search").text
    assert "What are you looking for?" in jane.get("/search?q=%00%20").text
    assert "Nothing found" in jane.get("/search?q=<script>").text
    assert "<script>" not in jane.get("/search?q=<script>").text.partition("<h1>")[2].partition("</h1>")[0]


def test_a_catalog_that_is_away_is_told(jane: Browser, peers: Peers) -> None:
    peers.away.add("catalog")

    assert jane.get("/search?q=app").status_code == 503


def test_suggestions_are_names_that_one_may_see(browser: Browser, peers: Peers) -> None:
    peers.add("team/open", make_tag("1.0"), public=True)
    peers.add("team/opera", make_tag("1.0"))

    assert browser.get("/search/suggestions?q=ope").get_json() == ["team/open"]
    assert browser.get("/search/suggestions?q=o").get_json() == []
    assert browser.get("/search/suggestions").get_json() == []
