"""What people see who are not signed in, and how an operator takes it from them."""

from collections.abc import Callable

import pytest

from services.auth.domain.namespaces import Visibility
from services.web.pages.routes import BROWSED, ROUTES
from tests.pages.conftest import House

PAGES = ("/explore", "/search?q=crane", "/search/suggestions?q=crane", "/r/docks/crane", "/r/docks/crane/-/digests")


def open_docks(house: House) -> None:
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    house.auth.make_namespace("docks", team=team, visibility=Visibility.PUBLIC)
    house.push("docks/crane", "1.0")


@pytest.mark.parametrize("path", PAGES)
def test_public_repositories_are_for_everybody(house: House, path: str) -> None:
    open_docks(house)

    assert "crane" in house.browser().read(path)
    assert "Public repositories" in house.browser().read("/sign-in")


def test_an_operator_asks_everybody_to_sign_in(make_house: Callable[..., House]) -> None:
    house = make_house(anonymous_browsing=False)
    open_docks(house)

    for path in PAGES:
        answer = house.browser().get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in"), path
        assert "crane" in house.sign_in("jane").read(path)
    assert "Public repositories" not in house.browser().read("/sign-in")


def test_every_page_of_a_repository_is_among_them() -> None:
    assert {route.name for route in ROUTES if route.path.startswith("/r/")} < BROWSED
