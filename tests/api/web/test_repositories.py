"""The lists of repositories."""

import pytest

from tests.api.web.conftest import Browser
from tests.support.portal_peers import Peers, make_tag


def names(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('class="name" href="/r/')[1:]]


def test_person_sees_what_they_may_see(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("1.0"), make_tag("latest"))
    peers.add("busybox", make_tag(), public=True)

    page = jane.get("/repositories").text

    assert names(page) == ["team/app", "busybox"]
    assert "24.6 MiB" in page
    assert "indexed 4 s ago" in page


def test_everybody_sees_what_is_public_without_signing_in(browser: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())
    peers.add("busybox", make_tag(), public=True)

    page = browser.get("/explore")

    assert (page.status_code, names(page.text)) == (200, ["busybox"])
    assert 'href="/sign-in?next=/explore"' in page.text


def test_explore_shows_the_same_to_somebody_who_is_signed_in(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())
    peers.add("busybox", make_tag(), public=True)

    assert names(jane.get("/explore").text) == ["busybox"]


def test_list_is_narrowed_by_text_and_namespace(jane: Browser, peers: Peers) -> None:
    for name in ("team/app", "team/web", "other/app"):
        peers.add(name, make_tag())

    assert names(jane.get("/repositories?q=app").text) == ["team/app", "other/app"]
    assert names(jane.get("/repositories?q=app&namespace=team").text) == ["team/app"]


def test_long_list_has_pages_that_keep_the_filter(jane: Browser, peers: Peers) -> None:
    for number in range(60):
        peers.add(f"team/app-{number:02d}", make_tag())

    page = jane.get("/repositories?q=app&namespace=team&page=2").text

    assert (names(page)[0], len(names(page))) == ("team/app-25", 25)
    assert "26–50 of 60" in page
    assert 'href="/repositories?q=app&amp;namespace=team&amp;page=1"' in page
    assert 'href="/repositories?q=app&amp;namespace=team&amp;page=3"' in page


def test_parameters_of_the_address_do_not_steer_the_links_of_the_page(jane: Browser, peers: Peers) -> None:
    for number in range(30):
        peers.add(f"team/app-{number:02d}", make_tag())

    page = jane.get("/repositories?_external=1&_scheme=javascript&_anchor=x&endpoint=home").text

    assert 'rel="next" href="/repositories?page=2"' in page


@pytest.mark.parametrize(
    "query",
    ["page=x", "page=0", "page=1000001", "q=" + "a" * 129, "namespace=no/slash", "namespace=%3Cscript%3E"],
)
def test_value_outside_its_limits_is_told(jane: Browser, query: str) -> None:
    answer = jane.get(f"/repositories?{query}")

    assert answer.status_code == 400
    assert "value that does not fit" in answer.text


def test_nothing_there_yet_shows_the_commands_that_bring_the_first_image(jane: Browser) -> None:
    page = jane.get("/repositories").text

    assert "Nothing has landed yet" in page
    for line in (
        "docker login registry.test:5000 --username jane",
        "docker tag my-app:latest registry.test:5000/jane/my-app:latest",
        "docker push registry.test:5000/jane/my-app:latest",
    ):
        assert f"<code>{line}</code>" in page


def test_nothing_found_leads_back_to_everything(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())

    page = jane.get("/repositories?q=%3Cb%3Enone").text

    assert "No repository matches" in page
    assert "“&lt;b&gt;none”" in page
    assert 'href="/repositories"' in page


@pytest.mark.parametrize("path", ["/explore", "/explore?q=none"])
def test_no_public_repository_says_so(browser: Browser, path: str) -> None:
    assert "No public repositor" in browser.get(path).text


def test_manifests_that_wait_are_shown_in_the_bar(jane: Browser, peers: Peers) -> None:
    peers.freshness["waiting"] = 3

    page = jane.get("/repositories").text

    assert "3 manifests waiting" in page
    assert "freshness-late" in page


def test_page_beyond_the_end_leads_back(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())

    page = jane.get("/repositories?page=9").text

    assert "This page lies behind the end of the list" in page
    assert 'href="/repositories?page=1"' in page
