"""One's own account in the portal."""

import re

import pytest
from werkzeug.test import TestResponse

from tests.pages.conftest import Browser, House
from tests.support.auth import PASSWORD, access_of, basic, is_explained


@pytest.fixture
def jane(house: House) -> Browser:
    house.auth.make_user("jane")
    return house.sign_in("jane")


def test_name_and_mail_are_changed_and_shown_at_once(jane: Browser) -> None:
    page = jane.follow(jane.send("/me", "/me", display_name="Jane <b>Harbour", email="jane@harbour.example"))

    assert "jane@harbour.example" in page
    assert "Jane &lt;b&gt;Harbour" in page
    wrong = jane.send("/me", "/me", display_name="Jane", email="no address")
    assert wrong.status_code == 422
    assert 'id="email-fault"' in wrong.text


def test_a_password_is_changed_by_who_knows_it(house: House, jane: Browser) -> None:
    new, page = "another long password", "/me/password"

    wrong = jane.send(page, page, password="wrong", password_new=new, password_again=new)
    different = jane.send(page, page, password=PASSWORD, password_new=new, password_again="something else")
    assert (wrong.status_code, different.status_code) == (422, 422)
    assert 'id="password-fault"' in wrong.text
    assert 'id="password_again-fault"' in different.text
    jane.follow(jane.send(page, page, password=PASSWORD, password_new=new, password_again=new))

    assert house.browser().send("/sign-in", "/sign-in", username="jane", password=PASSWORD).status_code == 401
    assert house.browser().send("/sign-in", "/sign-in", username="jane", password=new).status_code == 303


def test_a_token_is_shown_once_and_does_what_it_says(house: House, jane: Browser) -> None:
    made = jane.send("/me/tokens", "/me/tokens", application="laptop", days="30", namespaces="jane", actions="pull")
    found = re.search(r"<code>(portus_[^<]+)</code>", made.text)
    assert found
    secret = found[1]

    def ask(action: str) -> TestResponse:
        scope = {"service": "portus-registry", "scope": f"repository:jane/app:{action}"}
        return house.auth.client.get("/v2/token", query_string=scope, headers=basic("jane", secret))

    assert access_of(ask("pull").get_json()["token"]) == ["repository:jane/app:pull"]
    assert is_explained(ask("push"))
    listed = jane.read("/me/tokens")
    assert "laptop" in listed
    assert secret not in listed
    revoke = re.search(r"/me/tokens/\d+/revoke", listed)
    assert revoke
    assert "laptop" not in jane.follow(jane.send("/me/tokens", revoke[0]))


def test_a_token_for_nothing_is_not_made(jane: Browser) -> None:
    answer = jane.send("/me/tokens", "/me/tokens", application="", days="30", namespaces="")

    assert answer.status_code == 422
    assert 'id="application-fault"' in answer.text
    assert 'id="actions-fault"' in answer.text
    assert "No tokens" in answer.text


def test_other_browsers_are_signed_out_one_or_all(house: House, jane: Browser) -> None:
    for _ in range(2):
        house.sign_in("jane")
    listed = jane.read("/me/sessions")
    ends = re.findall(r"/me/sessions/[^\"/]+/end", listed)
    assert len([one for one in ends if "others" not in one]) == 2

    jane.follow(jane.send("/me/sessions", "/me/sessions/others/end"))

    left = jane.read("/me/sessions")
    assert "this one" in left
    assert "Werkzeug" in left
    assert jane.read("/me/sessions").count("Sign out<span") == 0


def test_an_account_is_switched_off_by_its_owner(house: House, jane: Browser) -> None:
    assert jane.send("/me/off", "/me/off", typed="kate").status_code == 422
    assert jane.send("/me/off", "/me/off", typed="jane").status_code == 303

    assert house.browser().send("/sign-in", "/sign-in", username="jane", password=PASSWORD).status_code == 401


def test_the_last_administrator_stays(house: House) -> None:
    admin = house.sign_in("admin")

    answer = admin.send("/me/off", "/me/off", typed="admin")

    assert answer.status_code in (403, 422)
    assert admin.get("/me").status_code == 200
