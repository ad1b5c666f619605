"""Webhooks in the portal: made, changed, told, looked at, deleted; by those who may."""

import re
from typing import Any

import pytest
from werkzeug import Response

from services.auth.domain.teams import Role
from tests.pages.conftest import Browser, House, faults_of
from tests.support.auth import INTERNAL_SECRET
from tests.support.receivers import receiving
from tests.support.webhooks import deliveries, make_deliverer, record, tag_event, take_turns

LIST = "/namespaces/docks/webhooks"
NEW = f"{LIST}/new"
HOOK = f"{LIST}/1"
PASSWORD, SECRET = "harbour-master-1", "correct horse battery"
FORM = {
    "name": "ci",
    "url": "ci.example.org/hook",
    "request_method": "POST",
    "content_type": "application/json",
    "push": "yes",
    "delete": "yes",
    "enabled": "yes",
}


@pytest.fixture
def jane(house: House) -> Browser:
    """Jane owns the team of ``docks``, Vera sees it, and Sam is a stranger."""
    house.auth.make_user("sam")
    owner, vera = house.auth.make_user("jane"), house.auth.make_user("vera")
    assert vera
    team = house.auth.make_team("harbour", owner=owner, vera=Role.VIEWER)
    house.auth.make_namespace("docks", team=team)
    return house.sign_in("jane")


def make(jane: Browser, **changes: str) -> str:
    return jane.follow(jane.send(NEW, NEW, **{**FORM, **changes}))


def send_all(house: House) -> None:
    take_turns(make_deliverer(house.notifier.database, secret=INTERNAL_SECRET))


def test_a_webhook_is_made_and_listed(jane: Browser) -> None:
    assert "No webhooks" in jane.read(LIST)

    page = make(jane, tags="v*, latest")

    assert "The webhook ci is there." in page
    assert "http://ci.example.org/hook" in page
    assert "v*" in page
    assert "pushes, deletions" in jane.read(LIST)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": ""}, "Choose a name."),
        ({"url": ""}, "Type the address that is to be told."),
        ({"url": "ftp://example.org"}, "must begin with http:// or https://"),
        ({"url": "http://169.254.169.254/"}, "PORTUS_WEBHOOK_ALLOWED_NETWORKS"),
        ({"secret": "short"}, "must have 16 to 128 characters"),
        ({"push": "", "delete": ""}, "Choose at least one."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(jane: Browser, changes: dict[str, str], fault: str) -> None:
    answer = jane.send(NEW, NEW, **{**FORM, **changes})

    assert answer.status_code == 422
    assert any(fault in said for said in faults_of(answer.text)), faults_of(answer.text)
    assert "No webhooks" in jane.read(LIST)


def test_it_is_told_and_shows_what_it_was_told(house: House, jane: Browser) -> None:
    with receiving(lambda _: Response("<b>queued</b>")) as receiver:
        make(jane, url=receiver.url)
        assert "It was told nothing yet" in jane.read(HOOK)
        record(house.notifier.database, tag_event("a", "docks/crane"))
        waiting = jane.read(HOOK)
        assert "waiting" in waiting
        assert "docks/crane:1.0" in waiting
        send_all(house)

    page = jane.read(HOOK)
    (address,) = set(re.findall(rf'"({HOOK}/deliveries/[0-9a-f-]+)"', page))
    assert "delivered" in page
    shown = jane.read(address)
    assert "docks/crane" in shown
    assert "&lt;b&gt;queued&lt;/b&gt;" in shown
    assert "Nothing of this kind" in jane.read(f"{HOOK}?outcome=failed")


def test_a_test_shows_whether_it_works_also_while_it_is_off(house: House, jane: Browser) -> None:
    with receiving(lambda _: Response("no", 500)) as receiver:
        make(jane, url=receiver.url, enabled="")
        answer = jane.send(HOOK, f"{HOOK}/test")
        assert "A test is on its way" in jane.follow(answer)
        send_all(house)
        page = jane.read(answer.location)
        assert "It answered 500." in page
        assert "sent all the same" in page
        again = jane.send(answer.location, f"{answer.location}/retrigger")
        assert "sent once more" in jane.follow(again)
        send_all(house)

    assert len(receiver.received) == 2
    assert [delivery.attempts for delivery in deliveries(house.notifier.database)] == [2]


def test_it_is_switched_off_and_on(jane: Browser) -> None:
    make(jane)

    off = jane.follow(jane.send(LIST, f"{HOOK}/switch", enabled="", **{"from": "list"}))
    assert "told nothing" in off
    assert "Switch on" in off
    assert "told from now on" in jane.follow(jane.send(HOOK, f"{HOOK}/switch", enabled="yes"))


def test_headers_are_added_and_removed(jane: Browser) -> None:
    make(jane)

    assert "X-Token: abc" in jane.follow(jane.send(HOOK, f"{HOOK}/headers", name="X-Token", value="abc"))
    again = jane.send(HOOK, f"{HOOK}/headers", name="x-token", value="abc")
    assert (again.status_code, faults_of(again.text)) == (422, ["has already been taken"])
    assert "X-Token: abc" not in jane.follow(jane.send(HOOK, f"{HOOK}/headers/1/remove"))


def settings(jane: Browser, **changes: str) -> Any:
    """Send the form of changes as a browser would: with all that it shows."""
    page = jane.read(f"{HOOK}/settings")
    shown = dict(re.findall(r'name="was_(\w+)" value="([^"]*)"', page))
    was = {f"was_{name}": value for name, value in shown.items()}
    return jane.send(f"{HOOK}/settings", f"{HOOK}/settings", **{**shown, **was, **changes})


def test_it_is_changed_and_keeps_what_is_not_typed_again(house: House, jane: Browser) -> None:
    make(jane, username="jane", password=PASSWORD, secret=SECRET)

    page = jane.follow(settings(jane, name="builds", overwritten="yes", delete=""))

    assert "builds" in page
    assert "pushes, tags that moved and must not" in page
    assert "nobody" not in page
    assert "not signed" not in page
    page = jane.follow(settings(jane, forget_secret="yes"))
    assert "not signed" in page
    page = jane.follow(settings(jane, url="https://other.example.org"))
    assert "nobody: jane has no password" in page


def test_passwords_and_secrets_are_on_no_page(jane: Browser, house: House) -> None:
    """[VULN] SUSE Portus had the password in the data of the page."""
    page = make(jane, username="jane", password=PASSWORD, secret=SECRET)
    jane.follow(jane.send(HOOK, f"{HOOK}/headers", name="X-Token", value="header-value"))
    vera = house.sign_in("vera")

    refused = jane.send(NEW, NEW, **{**FORM, "url": "", "password": PASSWORD, "secret": SECRET})
    pages = [page, refused.text, *(jane.read(path) for path in (LIST, HOOK, f"{HOOK}/settings"))]

    for text in (*pages, vera.read(LIST), vera.read(HOOK)):
        assert PASSWORD not in text
        assert SECRET not in text
    assert "header-value" in jane.read(HOOK)
    assert "header-value" not in vera.read(HOOK)


def test_members_look_and_strangers_do_not(jane: Browser, house: House) -> None:
    make(jane)
    vera, sam = house.sign_in("vera"), house.sign_in("sam")

    page = vera.read(HOOK)
    assert "http://ci.example.org/hook" in page
    assert not any(button in page for button in ("Send a test", "Switch off", "Delete the webhook", "/headers"))
    assert "New webhook" not in vera.read(LIST)
    assert vera.send("/me", f"{HOOK}/switch", enabled="").status_code == 403
    answer = vera.send("/me", NEW, **FORM)
    assert answer.status_code == 422
    assert "only owners of the team and administrators may" in answer.text
    assert [sam.get(path).status_code for path in (LIST, HOOK)] == [404, 404]


def test_who_sees_a_public_namespace_sees_no_webhooks_of_it(jane: Browser, house: House) -> None:
    make(jane)
    place = "/namespaces/docks/settings"
    jane.follow(jane.send(place, place, description="", visibility="public", team="harbour"))
    sam = house.sign_in("sam")

    assert "who are in the team" in sam.read(LIST)
    assert sam.get(HOOK).status_code == 404


def test_whoever_gets_the_namespace_takes_its_webhooks_over(jane: Browser, house: House) -> None:
    make(jane, url="https://ci.example.org/geheim", username="jane", password=PASSWORD, secret=SECRET)
    jane.send(HOOK, f"{HOOK}/headers", name="X-Token", value="geheim")
    house.auth.make_team("yard", owner=house.auth.make_user("nina"))
    house.auth.make_user("root", administrator=True)
    house.sign_in("root").send("/me", "/namespaces/docks/settings", description="", visibility="private", team="yard")
    nina = house.sign_in("nina")

    for page in (nina.read(LIST), nina.read(HOOK), nina.read(f"{HOOK}/settings")):
        assert "geheim" not in page
        assert "Switch on" not in page
    assert "The namespace went to another team." in nina.read(HOOK)
    assert faults_of(settings(nina).text) == ["Type the address that is to be told."]
    page = nina.follow(settings(nina, url="https://nina.example.org/"))
    assert "https://nina.example.org/" in page
    assert "went to another team" not in page
    assert "X-Token" not in page
    assert "Switch on" in page


def test_it_is_deleted_after_its_name_was_typed(jane: Browser) -> None:
    make(jane)
    page = f"{HOOK}/deletion"

    assert jane.send(page, page, typed="other").status_code == 422
    assert "No webhooks" in jane.follow(jane.send(page, page, typed="ci"))
    assert jane.get(HOOK).status_code == 404


def test_while_the_notifier_is_away_the_page_says_so(jane: Browser, house: House) -> None:
    house.stop_notifier()

    answer = jane.get(LIST)

    assert answer.status_code == 503
    assert "notifier" in answer.text


def test_a_german_page_speaks_german(jane: Browser, house: House) -> None:
    make(jane)
    record(house.notifier.database, tag_event("a", "docks/crane"))
    jane.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"

    page = jane.read(HOOK)

    assert "Test senden" in page
    assert "wartet" in page
    assert "muss mit http:// oder https:// beginnen" in jane.send(NEW, NEW, **{**FORM, "url": "ftp://a"}).text
