"""The first administrator."""

import pytest

from services.web.pages.cookies import SESSION
from tests.api.web.conftest import Browser
from tests.support.portal_peers import Peers

FORM = {
    "username": "admin",
    "display_name": "",
    "email": "admin@example.test",
    "password": "correct horse",
    "password_again": "correct horse",
}


@pytest.fixture(autouse=True)
def new_house(peers: Peers) -> None:
    peers.people.clear()
    peers.needs_administrator = True


def test_new_house_is_set_up_before_anybody_signs_in(browser: Browser) -> None:
    assert browser.get("/").location == "/sign-in"
    assert browser.get("/sign-in").location == "/setup"
    assert "Nobody is here yet" in browser.get("/setup").text


def test_first_administrator_is_made_and_signed_in(browser: Browser, peers: Peers) -> None:
    answer = browser.send("/setup", "/setup", **FORM)

    assert (answer.status_code, answer.location) == (303, "/")
    assert peers.people == {"admin": "correct horse"}
    assert browser.get("/repositories").status_code == 200


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"username": " "}, "Choose a name."),
        ({"email": ""}, "Type an address for mail."),
        ({"password": ""}, "Choose a password."),
        ({"password_again": "other"}, "The two passwords differ"),
        ({"display_name": "x" * 256}, "Longer than maximum length 255."),
        ({"password": "short", "password_again": "short"}, "must have 8 to 128 characters"),
    ],
    ids=["no name", "no mail", "no password", "two passwords", "long name", "a rule of auth's"],
)
def test_fault_is_told_beside_its_field(browser: Browser, peers: Peers, changes: dict[str, str], fault: str) -> None:
    answer = browser.send("/setup", "/setup", **{**FORM, **changes})

    assert answer.status_code == 422
    assert fault in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "correct horse" not in answer.text
    assert peers.people == {}


def test_house_that_is_set_up_leads_to_signing_in(browser: Browser, peers: Peers) -> None:
    peers.needs_administrator = False

    assert browser.get("/setup").location == "/sign-in"


def test_somebody_who_comes_second_is_told_so(browser: Browser, peers: Peers) -> None:
    token = browser.get("/setup").text.split('name="csrf_token" value="')[1].split('"')[0]
    peers.needs_administrator = False

    answer = browser.client.post("/setup", data={**FORM, "csrf_token": token}, follow_redirects=True)

    assert "has been set up already" in answer.text
    assert browser.cookie(SESSION) is None


def test_installation_that_makes_administrators_by_command_says_which(browser: Browser, peers: Peers) -> None:
    peers.setup_switched_off = True

    answer = browser.send("/setup", "/setup", **FORM)

    assert answer.status_code == 405
    assert "ensure-admin" in answer.text
