"""Namespaces in the portal: made, opened, shared, frozen, deleted, and their robots."""

import re
from collections.abc import Callable

from services.auth.domain.management import Switches
from services.auth.domain.teams import Role
from tests.pages.conftest import Browser, House
from tests.support.auth import access_of, basic

MakeHouse = Callable[..., House]


def with_namespace(house: House) -> Browser:
    """Let jane own the namespace ``docks`` and return her browser."""
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    house.auth.make_namespace("docks", team=team)
    return house.sign_in("jane")


def test_a_namespace_is_made_and_shows_what_lies_in_it(house: House) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane = house.sign_in("jane")

    jane.follow(jane.send("/namespaces/-/new", "/namespaces/-/new", name="docks", team="harbour", description=""))
    house.push("docks/crane", "1.0")

    assert "docks/" in jane.read("/namespaces/docks")
    assert "crane" in jane.read("/namespaces/docks")
    assert "docks" in jane.read("/namespaces")
    assert "docks" in jane.read("/teams/harbour/-/namespaces")


def test_the_global_namespace_has_a_page_of_what_has_no_other(house: House) -> None:
    house.push("alpine", "3.20")
    house.push("docks/crane", "1.0")
    admin = house.sign_in("admin")

    page = admin.read("/namespaces/registry.example.org")

    assert "alpine" in page
    assert "crane" not in page
    for part in ("access", "robots", "webhooks", "settings"):
        admin.read(f"/namespaces/registry.example.org/{part}")


def test_a_name_that_is_none_is_told_beside_the_field(house: House) -> None:
    house.auth.make_team("harbour", owner=house.auth.make_user("jane"))
    jane = house.sign_in("jane")

    answer = jane.send("/namespaces/-/new", "/namespaces/-/new", name="No Name", team="harbour", description="kept")

    assert answer.status_code == 422
    assert 'id="name-fault"' in answer.text
    assert "kept" in answer.text


def test_an_owner_opens_it_and_everybody_may_pull(house: House) -> None:
    jane = with_namespace(house)
    settings = "/namespaces/docks/settings"

    jane.follow(jane.send(settings, settings, description="Cranes", visibility="public", team="harbour"))

    assert "public" in jane.read("/namespaces/docks")
    assert house.auth.access("repository:docks/crane:pull") == ["repository:docks/crane:pull"]


def test_a_frozen_namespace_says_why_and_is_thawed(house: House) -> None:
    jane = with_namespace(house)
    settings = "/namespaces/docks/settings"

    frozen = jane.follow(jane.send(settings, "/namespaces/docks/freezes", reason="Moving house", repository=""))
    assert "Moving house" in frozen
    assert house.auth.access("repository:docks/crane:push", user="jane") == []
    thaw = re.search(r"/namespaces/docks/freezes/\d+/thaw", frozen)
    assert thaw
    jane.follow(jane.send(settings, thaw[0]))

    assert house.auth.access("repository:docks/crane:push", user="jane") == ["repository:docks/crane:push"]
    assert jane.send(settings, "/namespaces/docks/freezes", reason="", repository="").status_code == 422


def test_a_grant_gives_a_stranger_what_it_says_and_is_taken_back(house: House) -> None:
    house.auth.make_user("kate")
    jane, page = with_namespace(house), "/namespaces/docks/access"
    terms = {"kind": "user", "who": "kate", "pattern": "docks/cr*", "until": "2999-01-31", "reason": "helps out"}

    given = jane.follow(jane.send(page, page, **terms, actions="pull"))
    assert "helps out" in given
    assert house.auth.access("repository:docks/crane:pull", user="kate") == ["repository:docks/crane:pull"]
    back = re.search(r"/namespaces/docks/access/\d+/remove", given)
    assert back
    jane.follow(jane.send(page, back[0]))

    assert house.auth.access("repository:docks/crane:pull", user="kate") in ([], None)


def test_owners_grant_and_freeze_where_only_administrators_change_namespaces(make_house: MakeHouse) -> None:
    house = make_house(switches=Switches(manage_namespace=False))
    house.auth.make_user("kate")
    jane, access, settings = with_namespace(house), "/namespaces/docks/access", "/namespaces/docks/settings"

    grant = {"kind": "user", "who": "kate", "pattern": "", "until": "", "reason": ""}
    assert "kate" in jane.follow(jane.send(access, access, **grant, actions="pull"))
    jane.follow(jane.send(settings, "/namespaces/docks/freezes", reason="Moving", repository=""))

    assert "New robot" in jane.read("/namespaces/docks/robots")
    assert "Moving" in jane.read(settings)


def test_a_grant_that_cannot_be_is_told_at_its_field(house: House) -> None:
    jane, page = with_namespace(house), "/namespaces/docks/access"

    unknown = jane.send(page, page, kind="user", who="no-such-person", pattern="", until="", reason="", actions="pull")
    nothing = jane.send(page, page, kind="user", who="jane", pattern="", until="tomorrow", reason="")

    assert (unknown.status_code, nothing.status_code) == (422, 422)
    assert 'id="who-fault"' in unknown.text or 'role="alert"' in unknown.text
    assert 'id="actions-fault"' in nothing.text
    assert 'id="until-fault"' in nothing.text


def test_a_robot_logs_in_with_the_secret_that_is_shown_once(house: House) -> None:
    jane, page = with_namespace(house), "/namespaces/docks/robots/new"

    made = jane.send(page, page, name="ci", description="", pattern="", until="", addresses="", actions="push")
    assert made.status_code == 200
    secret, username = secret_of(made.text), name_of(made.text)
    token = house.auth.client.get(
        "/v2/token",
        query_string={"service": "portus-registry", "scope": "repository:docks/crane:push"},
        headers=basic(username, secret),
    )

    assert access_of(token.get_json()["token"]) == ["repository:docks/crane:push"]
    assert secret not in jane.read("/namespaces/docks/robots")
    assert secret not in jane.read(address_of(jane.read("/namespaces/docks/robots")))


def test_a_second_secret_replaces_the_first(house: House) -> None:
    jane, page = with_namespace(house), "/namespaces/docks/robots/new"
    jane.send(page, page, name="ci", description="", pattern="", until="", addresses="", actions="pull")
    robot = address_of(jane.read("/namespaces/docks/robots"))

    second = jane.send(robot, f"{robot}/secrets")
    assert secret_of(second.text)
    ends = re.findall(rf"{robot}/secrets/\d+/revoke", second.text)
    assert len(ends) == 2
    left = jane.follow(jane.send(robot, ends[0]))

    assert "The secret is over" in left
    assert "Make a second secret" in left


def test_a_robot_is_switched_off_and_deleted(house: House) -> None:
    jane, page = with_namespace(house), "/namespaces/docks/robots/new"
    jane.send(page, page, name="ci", description="", pattern="", until="", addresses="", actions="pull")
    robot = address_of(jane.read("/namespaces/docks/robots"))

    assert "switched off" in jane.follow(jane.send(robot, f"{robot}/switch"))
    assert jane.send(f"{robot}/deletion", f"{robot}/deletion", typed="other").status_code == 422
    assert "No robots" in jane.follow(jane.send(f"{robot}/deletion", f"{robot}/deletion", typed="ci"))


def test_what_goes_with_a_namespace_is_told_and_its_name_has_to_be_typed(house: House) -> None:
    with_namespace(house)
    house.push("docks/crane", "1.0", "2.0")
    admin, page = house.sign_in("admin"), "/namespaces/docks/deletion"

    assert "1 repository with 2 tags" in admin.read(page)
    assert admin.send(page, page, typed="dock").status_code == 422
    # No registry runs here: what is in it cannot be deleted, and so it stays.
    refused = admin.send(page, page, typed="docks")

    assert refused.status_code == 422
    assert "not all of it could be deleted" in refused.text


def test_members_see_it_and_change_nothing_and_strangers_see_nothing(house: House) -> None:
    house.auth.make_user("kate")
    house.auth.make_user("mallory")
    team = house.auth.make_team("harbour", owner=house.auth.make_user("jane"), kate=Role.VIEWER)
    house.auth.make_namespace("docks", team=team)
    kate = house.sign_in("kate")

    assert "for those to see who manage" in kate.read("/namespaces/docks/access")
    assert "for those to see who manage" in kate.read("/namespaces/docks/robots")
    assert "Only owners of its team" in kate.read("/namespaces/docks/settings")
    assert kate.send("/namespaces", "/namespaces/docks/freezes", reason="x", repository="").status_code == 403
    assert house.sign_in("mallory").get("/namespaces/docks").status_code == 404


def secret_of(page: str) -> str:
    found = re.search(r"<code>(portus_[^<]+)</code>", page)
    assert found, page
    return found[1]


def name_of(page: str) -> str:
    found = re.search(r"--username ([^ ]+) --password-stdin", page)
    assert found, page
    return found[1].strip("'").replace("&#39;", "")


def address_of(page: str) -> str:
    found = re.search(r'"(/namespaces/docks/robots/\d+)"', page)
    assert found, page
    return found[1]
