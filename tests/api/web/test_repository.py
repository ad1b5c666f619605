"""One repository and its tags."""

from typing import Any

import pytest

from shared.oci.media_types import OCI_MANIFEST
from tests.api.web.conftest import Browser
from tests.support.portal_peers import Peers, digest_of, make_index_tag, make_tag


def test_repository_shows_its_tags(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("2.0", letter="a"), make_tag("1.0", letter="b", minutes_ago=1500))

    page = jane.get("/r/team/app").text

    assert "<title>team/app · Portus</title>" in page
    assert page.index(">2.0<") < page.index(">1.0<")
    assert f'title="{digest_of("a")}">aaaaaaaaaaaa<' in page
    assert "linux/amd64" in page
    assert "12.3 MiB" in page
    assert ">3 min ago</time>" in page
    assert ">1 d ago</time>" in page
    assert 'data-copy="docker pull registry.test:5000/team/app:1.0"' in page


@pytest.mark.parametrize("name", ["busybox", "team/app", "team/deep/er/app"])
def test_names_nest_and_may_lack_a_namespace(jane: Browser, peers: Peers, name: str) -> None:
    peers.add(name, make_tag())

    answer = jane.get(f"/r/{name}")

    assert answer.status_code == 200
    assert f"docker pull registry.test:5000/{name}:latest" in answer.text


def test_rows_of_one_digest_say_so_in_words_too(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("latest"), make_tag("2.0"), make_tag("1.0", letter="b"))

    page = jane.get("/r/team/app").text

    assert "Same image as 2.0: " in page
    assert "lane-first" in page
    assert "lane-last" in page


def test_index_shows_its_platforms_and_hides_the_rest_behind_a_button(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_index_tag("1.0", "amd64", "arm64", "s390x", "ppc64le"))

    page = jane.get("/r/team/app").text

    assert '+2<span class="visually-hidden"> more platforms</span>' in page
    assert page.index("linux/amd64") < page.index('<summary class="chip') < page.index("linux/s390x")


def test_manifest_that_is_not_known_yet_is_marked(jane: Browser, peers: Peers) -> None:
    unknown: dict[str, Any] = {
        "media_type": None,
        "artifact_type": None,
        "size_bytes": None,
        "platforms": [],
        "known": False,
    }
    peers.add("team/app", make_tag(pushed_at=None, pushed_by=None, **unknown))

    assert "details pending" in jane.get("/r/team/app").text


def test_other_artifact_is_labelled_and_pulled_with_its_own_tool(jane: Browser, peers: Peers) -> None:
    helm: dict[str, Any] = {
        "media_type": OCI_MANIFEST,
        "artifact_type": "application/vnd.cncf.helm.config.v1+json",
        "platforms": [],
    }
    peers.add("charts/app", make_tag("1.0", **helm))

    page = jane.get("/r/charts/app").text

    assert "Helm chart" in page
    assert "helm pull oci://registry.test:5000/charts/app --version 1.0" in page


def test_tags_are_filtered_and_paged_by_the_server(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", *(make_tag(f"1.{number}", letter="b") for number in range(40)))

    first = jane.get("/r/team/app").text
    filtered = jane.get("/r/team/app?q=1.39").text

    assert "1–25 of 40" in first
    assert 'rel="next" href="/r/team/app?page=2"' in first
    assert "1–1 of 1" in filtered


def test_no_tag_found_leads_back(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())

    page = jane.get("/r/team/app?q=none").text

    assert "No tag matches" in page
    assert 'href="/r/team/app"' in page


def test_whatever_comes_from_a_registry_is_escaped(jane: Browser, peers: Peers) -> None:
    evil = "evilé <script>alert(1)</script> \"'"
    peers.add("team/app", make_tag(pushed_by=evil, artifact_type=evil, digest=evil))

    page = jane.get("/r/team/app").text

    assert "<script>alert" not in page
    assert "evilé &lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_public_repository_is_shown_without_signing_in(browser: Browser, peers: Peers) -> None:
    peers.add("busybox", make_tag(), public=True)

    assert browser.get("/r/busybox").status_code == 200


@pytest.mark.parametrize("name", ["team/secret", "team/none", "Not-A-Name", "team/app/-/tags/1.0", "team//app"])
def test_hidden_and_missing_repositories_look_alike(browser: Browser, peers: Peers, name: str) -> None:
    peers.add("team/secret", make_tag())

    answer = browser.get(f"/r/{name}")

    assert answer.status_code == 404
    assert "nothing here that you may see" in answer.text
    assert f'href="/sign-in?next=/r/{name}"' in answer.text


def test_person_is_not_offered_to_sign_in_again(jane: Browser) -> None:
    answer = jane.get("/r/team/none")

    assert answer.status_code == 404
    assert "/sign-in" not in answer.text


def test_commands_are_those_of_the_runtime_that_was_chosen(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())

    answer = jane.send("/r/team/app", "/look", runtime="podman", next="/r/team/app")

    assert answer.location == "/r/team/app"
    assert "podman pull registry.test:5000/team/app:latest" in jane.get("/r/team/app").text
