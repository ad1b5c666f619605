"""The past of a tag, and putting a part of it back."""

import pytest

from services.catalog.domain.immutability import Immutable
from services.catalog.usecases.restore_tag import TagMustNotMove
from shared.oci.names import Tag
from tests.api.web.conftest import Browser
from tests.support.portal_peers import Peers, digest_of, make_period, make_tag

HISTORY = "/r/team/app/-/history/1.0"
RESTORE = f"{HISTORY}/restore/{digest_of('b')}"


@pytest.fixture(autouse=True)
def past(peers: Peers) -> None:
    peers.add("team/app", make_tag("1.0"), public=True)
    peers.explained_pushers = {"jane"}
    peers.periods["1.0"] = [make_period("a", days_ago=2), make_period("b", days_ago=3, end="overwritten")]


def test_history_tells_from_digest_to_digest_by_whom_and_how_it_ended(jane: Browser) -> None:
    page = jane.get(HISTORY).text

    assert page.index("aaaaaaaaaaaa") < page.index("bbbbbbbbbbbb")
    assert "Overwritten" in page
    assert "by <bdi>olga</bdi>, after 1 d" in page
    assert f'href="{RESTORE}"' in page
    assert f"restore/{digest_of('a')}" not in page


def test_who_may_not_push_is_offered_no_way_to_restore(jane: Browser, peers: Peers) -> None:
    peers.explained_pushers = set()

    assert "/restore/" not in jane.get(HISTORY).text


def test_anonymous_people_see_the_history_and_no_way_to_restore(browser: Browser) -> None:
    answer = browser.get(HISTORY)

    assert answer.status_code == 200
    assert "/restore/" not in answer.text
    assert browser.get(RESTORE).status_code == 303


def test_restore_is_asked_for_with_what_it_does(jane: Browser, peers: Peers) -> None:
    page = jane.get(RESTORE).text

    assert "Restore 1.0?" in page
    assert digest_of("a") in page
    assert digest_of("b") in page
    assert peers.restored == []


def test_restore_is_done_and_told(jane: Browser, peers: Peers) -> None:
    answer = jane.send(RESTORE, RESTORE)

    assert answer.status_code == 303
    assert answer.location == HISTORY
    assert peers.restored == [("1.0", digest_of("b"))]
    assert "1.0 points at bbbbbbbbbbbb again" in jane.get(HISTORY).text


def test_what_is_missing_is_named(jane: Browser, peers: Peers) -> None:
    peers.gone = {digest_of("b")}

    answer = jane.send(RESTORE, RESTORE)

    assert answer.status_code == 422
    assert "The registry no longer has" in answer.text
    assert digest_of("9") in answer.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The tag 1.0 must not move: rule 7 (1.*, v*) says so. It can only be put back"),
        ("de", "Der Tag 1.0 darf nicht wandern: So sagt es Regel 7 (1.*, v*). Er lässt sich nur dorthin zurücksetzen"),
    ],
)
def test_restore_of_a_tag_that_must_not_move_names_the_rule(
    language: str, words: str, jane: Browser, peers: Peers
) -> None:
    rule = Immutable(7, None, ["*"], ["1.*", "v*"], restores=False)
    peers.unmovable["1.0"] = str(TagMustNotMove(rule, Tag("1.0")))
    jane.send("/explore", "/look", language=language)

    answer = jane.send(RESTORE, RESTORE)

    assert answer.status_code == 422
    assert words in answer.text
    assert peers.restored == []


def test_restore_of_somebody_who_may_not_push_is_refused(jane: Browser, peers: Peers) -> None:
    peers.pushers = set()

    assert jane.send(RESTORE, RESTORE).status_code == 403


def test_form_without_its_token_changes_nothing(jane: Browser, peers: Peers) -> None:
    assert jane.client.post(RESTORE).status_code == 400
    assert peers.restored == []


def test_names_of_people_are_escaped(jane: Browser, peers: Peers) -> None:
    peers.periods["1.0"] = [make_period("a", days_ago=2, end="deleted", pushed_by="<script>", ended_by="<script>")]

    assert "<bdi><script>" not in jane.get(HISTORY).text


def test_tag_that_never_was_is_404(jane: Browser) -> None:
    assert jane.get("/r/team/app/-/history/none").status_code == 404
