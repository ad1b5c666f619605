"""The first page: what changed, what is one's own, what needs one."""

import re

from services.web.viewmodels.repositories import SORTS
from tests.pages.conftest import House


def test_the_first_page_tells_what_happened(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("kate")
    house.push("jane/app", "1.0", "2.0", by="jane")
    house.push("kate/secret", "1.0", by="kate")
    jane = house.sign_in("jane")
    jane.send("/r/jane/app", "/r/jane/app/-/star", starred="yes")

    page = jane.read("/")

    assert "Welcome, jane" in page
    assert "jane/app:2.0" in page
    assert 'title="jane/app"' in page
    assert "kate/secret" not in page
    assert "pushes in 30 days." in page
    assert "Show figures" in page
    assert "Storage by namespace" in page


def test_one_repository_is_no_many(house: House) -> None:
    house.auth.make_user("jane")
    house.push("jane/app", "1.0", by="jane")

    page = re.sub(r"<[^>]+>", "", house.sign_in("jane").read("/"))

    assert "1 repository" in page
    assert re.search(r"1 tag\s", page)


def test_a_token_that_ends_soon_is_told(house: House) -> None:
    house.auth.make_user("jane")
    jane = house.sign_in("jane")
    jane.send("/me/tokens", "/me/tokens", application="<b>laptop", days="7", namespaces="", actions="pull")
    jane.send("/me/tokens", "/me/tokens", application="server", days="365", namespaces="", actions="pull")

    page = jane.read("/")

    assert "&lt;b&gt;laptop" in page
    assert "server" not in page


def test_a_new_house_says_how_to_begin(house: House) -> None:
    house.auth.make_user("jane")

    assert "docker push" in house.sign_in("jane").read("/")


def test_strangers_are_asked_to_sign_in(house: House) -> None:
    answer = house.browser().get("/")

    assert answer.status_code == 303
    assert answer.location == "/sign-in"


def test_administrators_are_told_what_waits_for_them(house: House) -> None:
    house.auth.make_user("jane")
    house.open_loss_window()

    assert "1 loss window is open" in house.sign_in("admin").read("/")
    assert "loss window" not in house.sign_in("jane").read("/")
    assert "events may be missing" in house.sign_in("jane").read("/repositories")


def test_the_first_page_leads_to_ones_own_repositories(house: House) -> None:
    house.auth.make_user("jane")
    house.push("jane/app", "1.0", by="jane")
    jane = house.sign_in("jane")

    assert 'href="/repositories?namespace=jane"' in jane.read("/")
    assert 'title="jane/app"' in jane.read("/")
    assert 'title="jane/app"' in jane.read("/repositories?namespace=jane")


def test_repositories_are_sorted_in_the_address(house: House) -> None:
    house.auth.make_user("jane")
    house.push("jane/a", "1.0", by="jane")
    house.push("jane/b", "1.0", "2.0", by="jane")
    jane = house.sign_in("jane")

    def names(path: str) -> list[str]:
        return re.findall(r'title="(jane/[^"]+)"', jane.read(path))

    assert names("/repositories") == ["jane/a", "jane/b"]
    assert names("/repositories?sort=tags") == ["jane/b", "jane/a"]
    assert names("/repositories?sort=what") == ["jane/a", "jane/b"]
    for sort in SORTS:
        assert len(names(f"/repositories?sort={sort}")) == 2
