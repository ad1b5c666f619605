"""Accounts that people make for themselves, and the help page."""

from collections.abc import Callable

from tests.pages.conftest import House
from tests.support.auth import PASSWORD

PAGE = "/sign-up"
ACCOUNT = {
    "username": "nora",
    "display_name": "Nora",
    "email": "nora@example.org",
    "password": PASSWORD,
    "password_again": PASSWORD,
}


def test_who_signs_up_is_signed_in_and_has_a_namespace(make_house: Callable[..., House]) -> None:
    house = make_house(signup=True)
    nora = house.browser()
    assert "Make an account" in nora.read("/sign-in")

    assert "Welcome, Nora" in nora.follow(nora.send(PAGE, PAGE, **ACCOUNT))
    assert "nora" in nora.read("/namespaces")


def test_what_is_wrong_is_said_beside_the_field(make_house: Callable[..., House]) -> None:
    house = make_house(signup=True)
    house.auth.make_user("nora")
    browser = house.browser()

    taken = browser.send(PAGE, PAGE, **ACCOUNT)
    short = browser.send(PAGE, PAGE, **{**ACCOUNT, "username": "olga", "password": "x", "password_again": "x"})

    assert (taken.status_code, short.status_code) == (422, 422)
    assert 'id="username-fault"' in taken.text
    assert 'id="password-fault"' in short.text


def test_where_nobody_signs_up_there_is_no_such_page(house: House) -> None:
    browser = house.browser()

    assert "Make an account" not in browser.read("/sign-in")
    assert browser.get(PAGE).status_code == 404
    assert browser.send("/sign-in", PAGE, **ACCOUNT).status_code in (403, 404, 422)
    assert browser.send("/sign-in", "/sign-in", username="nora", password=PASSWORD).status_code == 401


def test_help_has_the_commands_for_everybody_and_the_configuration_for_administrators(house: House) -> None:
    house.auth.make_user("jane")

    assert "docker push" in house.browser().read("/help")
    assert "rootcertbundle" not in house.sign_in("jane").read("/help")
    page = house.sign_in("admin").read("/help")
    assert "realm: http://localhost/v2/token" in page
    assert "service: portus-registry" in page


def test_a_wrong_password_leaves_the_way_to_an_account(make_house: Callable[..., House]) -> None:
    browser = make_house(signup=True).browser()

    assert "Make an account" in browser.send("/sign-in", "/sign-in", username="nora", password="wrong").text


def test_who_is_signed_in_makes_no_second_account(make_house: Callable[..., House]) -> None:
    house = make_house(signup=True)
    house.auth.make_user("jane")
    jane = house.sign_in("jane")

    assert jane.send("/me", PAGE, **ACCOUNT).location == "/"
    assert house.browser().send("/sign-in", "/sign-in", username="nora", password=PASSWORD).status_code == 401


def test_too_many_accounts_from_one_place_have_to_wait(make_house: Callable[..., House]) -> None:
    house = make_house(signup=True)

    for number in range(30):
        account = {**ACCOUNT, "username": f"nora-{number}", "email": f"nora-{number}@example.org"}
        answer = house.browser().send(PAGE, PAGE, **account)
        if answer.status_code != 303:
            break

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many attempts" in answer.text
