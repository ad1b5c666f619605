"""Teams in the portal: made, filled, changed and deleted, by those who may."""

from services.auth.domain.teams import Role
from tests.pages.conftest import House


def test_a_team_is_made_and_filled_and_its_maker_owns_it(house: House) -> None:
    house.auth.make_user("jane")
    house.auth.make_user("kate")
    jane = house.sign_in("jane")

    made = jane.follow(jane.send("/teams/new", "/teams/new", name="harbour", description="Keeps the ships"))
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
    assert browser.read("/teams/harbour").count("#icon-key") == 3
    gone = browser.follow(browser.send("/teams/harbour", f"/teams/harbour/-/members/{member}/remove"))

    assert "kate" not in gone


def test_what_is_wrong_is_said_beside_the_field(house: House) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane = house.sign_in("jane")

    nameless = jane.send("/teams/new", "/teams/new", name="", description="")
    taken = jane.send("/teams/new", "/teams/new", name="harbour", description="")
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

    assert "1 namespaces" in admin.read(page)
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

    made = jane.follow(jane.send("/teams/new", "/teams/new", name="odd & old", description=attack))

    assert attack not in made
    assert "&lt;script&gt;" in made
