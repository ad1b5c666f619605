"""The pages about rights: one refused request, and questions."""

from typing import Any

import pytest

from tests.api.web.conftest import Browser
from tests.support.portal_peers import NOW, Peers


def refusal(**changes: Any) -> dict[str, Any]:
    decided = [
        {"action": "pull", "allowed": True, "reason": "a viewer of the team may"},
        {"action": "push", "allowed": False, "reason": "a viewer of the team may not"},
    ]
    return {
        "id": "d1",
        "at": NOW.isoformat(),
        "subject": {"kind": "person", "username": "jane"},
        "credential": {"kind": "application token", "name": "laptop"},
        "verdict": "refused",
        "action": "push",
        "repository": "team/app",
        "reason": "jane may not push to team/app",
        "address": "192.0.2.7",
        "client": "docker/28.2",
        "scopes": [{"type": "repository", "name": "team/app", "actions": decided}],
        **changes,
    }


def test_a_refused_push_is_explained(jane: Browser, peers: Peers) -> None:
    peers.decisions["d1"] = refusal()

    page = jane.get("/explain/d1").text

    assert '<h1 class="name">jane may not push to team/app</h1>' in page
    assert "application token laptop" in page
    assert "it would still be refused" in page
    assert "Become a contributor of the team &#39;platform&#39;." in page
    assert "olga" in page
    assert "root" in page


def test_whoever_follows_the_link_comes_back_to_it_after_signing_in(browser: Browser, peers: Peers) -> None:
    peers.decisions["d1"] = refusal()

    answer = browser.get("/explain/d1")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/explain/d1"


def test_a_decision_that_is_not_ones_own_is_not_found(jane: Browser) -> None:
    assert jane.get("/explain/nothing").status_code == 404


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_what_a_client_calls_itself_is_shown_as_text(jane: Browser, peers: Peers, name: str) -> None:
    peers.decisions["d1"] = refusal(client=name, reason=name, address=name)

    page = jane.get("/explain/d1").text

    assert name not in page


def test_a_login_is_shown_too(jane: Browser, peers: Peers) -> None:
    peers.decisions["d1"] = refusal(verdict="login", action="", repository="", reason="", scopes=[])

    page = jane.get("/explain/d1").text

    assert "jane logged in" in page
    assert "Nothing was asked" in page


def test_explain_begins_with_a_question(jane: Browser) -> None:
    page = jane.get("/explain").text

    assert "Ask before you try" in page


def test_a_question_about_oneself(jane: Browser) -> None:
    page = jane.get("/explain?repository=team/app").text

    assert "What you may do to team/app" in page
    assert "by a viewer of the team platform" in page


def test_a_question_that_one_may_not_ask_says_so(jane: Browser) -> None:
    page = jane.get("/explain?repository=team/app&username=kim")

    assert (page.status_code, "Only those who manage the namespace" in page.text) == (200, True)


def test_who_can_is_shown_to_whoever_may_ask(jane: Browser, peers: Peers) -> None:
    assert "Who can push" not in jane.get("/explain?repository=team/app&who_can=yes").text
    peers.managers.add("jane")

    page = jane.get("/explain?repository=team/app&who_can=yes").text

    assert "Who can push" in page
    assert "grant 7 to the team release" in page


@pytest.mark.parametrize("path", ["/explain", "/explain/d1"])
def test_explaining_is_for_people_who_are_signed_in(browser: Browser, path: str) -> None:
    assert browser.get(path).headers["Location"].startswith("/sign-in")


def test_auth_away_is_said(jane: Browser, peers: Peers) -> None:
    peers.away.add("auth")

    assert jane.get("/explain?repository=team/app").status_code == 503
