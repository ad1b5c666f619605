"""Teams in the portal: made, filled, changed and deleted, by those who may."""

import re

from services.auth.domain.teams import Role
from tests.pages.conftest import House


def test_a_team_is_made_and_filled_and_its_maker_owns_it(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("kate")
    jane = house.sign_in("jane")

    made = jane.follow(jane.send("/teams/-/new", "/teams/-/new", name="harbour", description="Keeps the ships"))
    assert "harbour" in made
    assert "Keeps the ships" in made
    added = jane.follow(jane.send("/teams/harbour", "/teams/harbour/-/members", user="kate", role="contributor"))

    assert "kate is in the team" in added
    assert "contributor" in house.sign_in("kate").read("/teams/harbour")
    assert "harbour" in jane.read("/teams")


def test_a_role_is_changed_and_a_member_taken_out(house: House) -> None:
    jane, kate = house.auth.make_user("jane"), house.auth.make_user("kate")
    team = house.auth.make_team("harbour", owner=jane, kate=Role.VIEWER)
    browser = house.sign_in("jane")
    member = next(
        one["id"]
        for one in house.auth.call("GET", f"/api/v1/teams/{team.id}/members", user="jane").get_json()
        if one["username"] == kate.username
    )

    browser.follow(browser.send("/teams/harbour", f"/teams/harbour/-/members/{member}", role="owner"))
    chosen = re.findall(r'<option value="(\w+)" selected>', browser.read("/teams/harbour"))
    assert sorted(chosen)[:2] == ["owner", "owner"]
    gone = browser.follow(browser.send("/teams/harbour", f"/teams/harbour/-/members/{member}/remove"))

    assert "kate" not in gone


def test_what_is_wrong_is_said_beside_the_field(house: House) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane = house.sign_in("jane")

    nameless = jane.send("/teams/-/new", "/teams/-/new", name="", description="")
    taken = jane.send("/teams/-/new", "/teams/-/new", name="harbour", description="")
    nobody = jane.send("/teams/harbour", "/teams/harbour/-/members", user="no-such-person", role="viewer")

    assert (nameless.status_code, taken.status_code, nobody.status_code) == (422, 422, 422)
    assert 'id="name-fault"' in nameless.text
    assert 'id="name-fault"' in taken.text
    assert 'id="user-fault"' in nobody.text or 'role="alert"' in nobody.text


def test_a_viewer_changes_nothing_and_a_stranger_sees_nothing(house: House) -> None:
    house.auth.make_user("kate")
    house.auth.make_user("mallory")
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"), kate=Role.VIEWER)

    kate = house.sign_in("kate")
    page = kate.read("/teams/harbour")
    assert "Add somebody" not in page
    assert "Only its owners and administrators" in kate.read("/teams/harbour/-/settings")
    assert kate.send("/teams", "/teams/harbour/-/members", user="mallory", role="viewer").status_code == 403
    assert house.sign_in("mallory").get("/teams/harbour").status_code == 404


def test_a_team_is_deleted_only_when_its_name_is_typed(house: House) -> None:
    house.auth.make_user("admin2", administrator=True)
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    house.auth.make_namespace("docks", team=team)
    admin = house.sign_in("admin2")
    page = "/teams/harbour/-/deletion"

    assert "1 namespace<" in admin.read(page)
    mistyped = admin.send(page, page, typed="docks")
    assert mistyped.status_code == 422
    assert "nothing was changed" in mistyped.text
    # No registry runs here: what is in its namespaces cannot be looked through, and so the team stays.
    refused = admin.send(page, page, typed="harbour")

    assert refused.status_code == 422
    assert "not all of it could be deleted" in refused.text


def test_a_team_without_namespaces_is_deleted(house: House) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane, page = house.sign_in("jane"), "/teams/harbour/-/deletion"

    jane.follow(jane.send(page, page, typed="harbour"))

    assert jane.get("/teams/harbour").status_code == 404


def test_what_people_write_is_shown_and_not_obeyed(house: House) -> None:
    house.auth.make_user("jane")
    jane = house.sign_in("jane")
    attack = "<script>alert(1)</script>"

    made = jane.follow(jane.send("/teams/-/new", "/teams/-/new", name="odd & old", description=attack))

    assert attack not in made
    assert "&lt;script&gt;" in made


def member_of(house: House, team_id: int, username: str) -> int:
    listed = house.auth.call("GET", f"/api/v1/teams/{team_id}/members", user="admin").get_json()
    return int(next(one["id"] for one in listed if one["username"] == username))


def test_who_leaves_a_team_is_led_to_the_teams(house: House) -> None:
    kate = house.auth.make_user("kate")
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"), kate=Role.OWNER)
    browser = house.sign_in(kate.username)

    left = browser.send("/teams/harbour", f"/teams/harbour/-/members/{member_of(house, team.id, 'kate')}/remove")

    assert left.location == "/teams"
    assert "no longer in the team" in browser.follow(left)


def test_the_only_owner_stays_and_the_page_says_why(house: House) -> None:
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane, member = house.sign_in("jane"), member_of(house, team.id, "jane")

    for refused in (
        jane.send("/teams/harbour", f"/teams/harbour/-/members/{member}/remove"),
        jane.send("/teams/harbour", f"/teams/harbour/-/members/{member}", role="viewer"),
    ):
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
        assert "only owner" in refused.text
        assert "field-fault" not in refused.text


def test_a_team_called_new_has_a_page(house: House) -> None:
    house.auth.make_team("new", owner=house.auth.make_user("jane"))

    assert "Parts of the team" in house.sign_in("jane").read("/teams/new")


def test_namespaces_go_to_another_team_when_theirs_is_deleted(house: House) -> None:
    jane = house.auth.make_user("jane")
    house.auth.make_namespace("docks", team=house.auth.make_team("harbour", owner=jane))
    house.auth.make_team("pier", owner=jane)
    browser, page = house.sign_in("jane"), "/teams/harbour/-/deletion"

    unknown = browser.send(page, page, typed="harbour", new_team="no-such-team")
    assert unknown.status_code == 422
    browser.follow(browser.send(page, page, typed="harbour", new_team="pier"))

    assert "docks" in browser.read("/teams/pier/-/namespaces")


def test_a_long_text_is_refused_in_the_reader_s_language(house: House) -> None:
    house.auth.make_user("jane")
    jane = house.sign_in("jane")
    jane.send("/explore", "/look", language="de")

    answer = jane.send("/teams/-/new", "/teams/-/new", name="x" * 300, description="")

    assert "Höchstens 255 Zeichen." in answer.text


def test_an_administrator_is_taken_in_as_an_owner_and_that_is_said(house: House) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane, page = house.sign_in("jane"), "/teams/harbour"

    shown = jane.follow(jane.send(page, f"{page}/-/members", user="admin", role="viewer"))

    assert "admin is in the team, as an owner: administrators always are." in shown
