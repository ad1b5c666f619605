"""Teams: changed, deleted with their namespaces or without, and found by the beginning of their names."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.management import Switches
from services.auth.domain.teams import Role
from services.auth.storage.suggestions import LIMIT
from services.auth.storage.tables import outbox
from services.auth.storage.teams import TeamView
from tests.support.auth import AuthFactory, AuthService, assert_problem
from tests.support.little_catalog import LittleCatalog

DELETING = Policy(delete=DeletePolicy.OWNERS)


@pytest.fixture
def house(make_auth: AuthFactory, catalog: LittleCatalog) -> AuthService:
    auth = make_auth(policy=DELETING, catalog_url=catalog.url)
    auth.make_user("admin", administrator=True)
    for name in ("contributor", "viewer", "other"):
        auth.make_user(name)
    return auth


@pytest.fixture
def blue(house: AuthService) -> TeamView:
    """Team blue, with the namespaces first and second."""
    owner = house.make_user("owner")
    team = house.make_team("blue", owner=owner, contributor=Role.CONTRIBUTOR, viewer=Role.VIEWER)
    for name in ("first", "second"):
        house.make_namespace(name, team=team)
    return team


def put(auth: AuthService, team: TeamView, user: str = "owner", **body: Any) -> TestResponse:
    return auth.call("PUT", f"/api/v1/teams/{team.id}", user=user, json=body)


def delete(auth: AuthService, team: TeamView, user: str = "owner", *, query: str = "", **options: Any) -> TestResponse:
    return auth.call("DELETE", f"/api/v1/teams/{team.id}{query}", user=user, **options)


def teams_of_namespaces(auth: AuthService) -> dict[str, str]:
    rows = auth.call("GET", "/api/v1/namespaces?per_page=100", user="admin").get_json()
    return {row["name"]: row["team"]["name"] for row in rows if row["name"] in ("first", "second")}


def events(auth: AuthService, *kinds: str) -> list[dict[str, Any]]:
    with auth.database.read() as connection:
        envelopes = connection.execute(select(outbox.c.envelope).order_by(outbox.c.sequence)).scalars().all()
    return [{"type": one["type"], **one["data"]} for one in envelopes if one["type"].startswith(kinds)]


@pytest.mark.parametrize("wrapped", [False, True], ids=["flat", "nested"])
def test_an_owner_changes_name_and_description(house: AuthService, blue: TeamView, wrapped: bool) -> None:
    body = {"name": "navy", "description": "two\nlines"}

    address = f"/api/v1/teams/{blue.id}"
    changed = house.call("PUT", address, user="owner", json={"team": body} if wrapped else body).get_json()

    assert (changed["name"], changed["description"]) == ("navy", "two\nlines")
    assert teams_of_namespaces(house) == {"first": "navy", "second": "navy"}
    (entry,) = house.call("GET", "/api/v1/audit?action=team.updated", user="admin").get_json()
    assert entry["before"] == {"name": "blue", "description": ""}


@pytest.mark.parametrize(("user", "status"), [("contributor", 403), ("viewer", 403), ("other", 404)])
def test_nobody_else_changes_or_deletes_a_team(house: AuthService, blue: TeamView, user: str, status: int) -> None:
    assert_problem(put(house, blue, user, description="mine"), status)
    assert_problem(delete(house, blue, user), status)
    assert_problem(house.call("GET", f"/api/v1/teams/{blue.id}/deletion", user=user), status)


@pytest.mark.parametrize("name", ["viewer", "portus_global_team", "green", "", "x" * 256])
def test_a_name_that_cannot_be_is_refused(house: AuthService, blue: TeamView, name: str) -> None:
    house.make_team("green", owner=house.make_user("green-owner"))

    assert_problem(put(house, blue, name=name), 422, "name")


def test_a_name_may_stay_as_it_is(house: AuthService, blue: TeamView) -> None:
    assert put(house, blue, name="blue").status_code == 200
    assert events(house, "auth.team.updated") == []


def test_where_the_switch_is_off_owners_still_choose_the_members(make_auth: AuthFactory, blue: TeamView) -> None:
    auth = make_auth(switches=Switches(manage_team=False))

    assert_problem(put(auth, blue, description="ours"), 403, "PORTUS_USER_PERMISSION_MANAGE_TEAM_ENABLED")
    added = auth.call("POST", f"/api/v1/teams/{blue.id}/members", user="owner", json={"user": "other"})
    assert added.status_code == 201
    assert put(auth, blue, "admin", description="theirs").status_code == 200


def test_a_change_may_expect_what_it_has_seen(house: AuthService, blue: TeamView) -> None:
    seen = {"If-Match": house.call("GET", f"/api/v1/teams/{blue.id}", user="owner").headers["ETag"]}
    put(house, blue, description="changed")

    assert_problem(house.call("PUT", f"/api/v1/teams/{blue.id}", user="owner", json={}, headers=seen), 412)
    assert_problem(delete(house, blue, headers=seen), 412)


def test_a_team_goes_with_its_namespaces_and_their_images(
    house: AuthService, blue: TeamView, catalog: LittleCatalog
) -> None:
    catalog.repositories = {"first/app": ["1"], "second/app": ["1"], "other/app": ["1"]}

    assert delete(house, blue).status_code == 204

    assert list(catalog.repositories) == ["other/app"]
    assert teams_of_namespaces(house) == {}
    assert_problem(house.call("GET", f"/api/v1/teams/{blue.id}", user="admin"), 404)
    (entry,) = house.call("GET", "/api/v1/audit?action=team.deleted", user="admin").get_json()
    assert (entry["actor"], entry["target"]["name"]) == ("owner", "blue")


def test_what_cannot_be_deleted_stays_with_its_team_and_all_is_named(
    house: AuthService, blue: TeamView, catalog: LittleCatalog
) -> None:
    house.make_namespace("third", team=blue)
    catalog.repositories = {"first/app": ["1"], "second/app": ["1"], "third/app": ["2"]}
    catalog.stubborn = {"first/app": "it is kept", "third/app": "it is kept too"}

    problem = assert_problem(delete(house, blue), 422, "The team blue is still there")

    assert problem["errors"] == {"first/app": ["1: it is kept"], "third/app": ["2: it is kept too"]}
    assert teams_of_namespaces(house) == {"first": "blue"}
    catalog.stubborn = {}
    assert delete(house, blue).status_code == 204


def test_namespaces_go_to_another_team_with_all_their_images(
    house: AuthService, blue: TeamView, catalog: LittleCatalog
) -> None:
    catalog.repositories = {"first/app": ["1"]}
    green = house.make_team("green", owner=house.make_user("green-owner"), viewer=Role.VIEWER)
    house.call("POST", f"/api/v1/teams/{green.id}/members", user="green-owner", json={"user": "owner"})

    assert delete(house, blue, query="?new_team=green").status_code == 204

    assert teams_of_namespaces(house) == {"first": "green", "second": "green"}
    assert catalog.emptied == []
    (entry,) = house.call("GET", "/api/v1/audit?action=team.migrated", user="green-owner").get_json()
    assert (entry["target"]["name"], entry["before"]["name"], entry["after"]["namespaces"]) == (
        "green",
        "blue",
        ["first", "second"],
    )


@pytest.mark.parametrize("team", ["green", "viewer", "portus_global_team", "nobody's"])
def test_namespaces_go_to_no_team_that_the_owner_is_not_in(house: AuthService, blue: TeamView, team: str) -> None:
    house.make_team("green", owner=house.make_user("green-owner"))

    assert_problem(delete(house, blue, query=f"?new_team={team}"), 404)
    assert teams_of_namespaces(house) == {"first": "blue", "second": "blue"}


@pytest.mark.parametrize("team", ["viewer", "portus_global_team"])
def test_namespaces_go_to_no_hidden_team(house: AuthService, blue: TeamView, team: str) -> None:
    assert_problem(delete(house, blue, "admin", query=f"?new_team={team}"), 404)


def test_a_team_inherits_nothing_from_itself(house: AuthService, blue: TeamView) -> None:
    assert_problem(delete(house, blue, query="?new_team=blue"), 422, "is the team that is to be deleted")


def test_where_deleting_is_off_no_team_is_deleted(make_auth: AuthFactory, blue: TeamView) -> None:
    auth = make_auth()
    auth.make_team("green", owner=auth.make_user("green-owner"))

    assert_problem(delete(auth, blue), 403, "PORTUS_DELETE_ENABLED")
    assert_problem(delete(auth, blue, "admin", query="?new_team=green"), 403, "PORTUS_DELETE_ENABLED")


def test_without_the_catalog_a_team_with_namespaces_stays(make_auth: AuthFactory, blue: TeamView) -> None:
    auth = make_auth(policy=DELETING)

    assert_problem(delete(auth, blue), 503)
    assert auth.call("GET", f"/api/v1/teams/{blue.id}", user="owner").status_code == 200


def test_a_preview_tells_what_would_go(house: AuthService, blue: TeamView, catalog: LittleCatalog) -> None:
    catalog.repositories = {"first/app": ["1", "2"], "second/app": ["1"]}

    answer = house.call("GET", f"/api/v1/teams/{blue.id}/deletion", user="owner").get_json()

    assert answer["team"] == {"id": blue.id, "name": "blue", "users_count": 3, "namespaces_count": 2}
    assert answer["images"] == {"repositories": 2, "tags": 3, "size_bytes": 3000}


def test_a_team_s_namespaces_are_for_those_who_see_the_team(
    house: AuthService, blue: TeamView, catalog: LittleCatalog
) -> None:
    catalog.repositories = {"first/app": ["1"]}
    address = f"/api/v1/teams/{blue.id}/namespaces"

    listed = house.call("GET", f"{address}?team_id=1", user="viewer").get_json()

    assert [(row["name"], row["repositories_count"]) for row in listed] == [("first", 1), ("second", 0)]
    assert_problem(house.call("GET", address, user="other"), 404)


def test_what_happens_to_a_team_is_announced(house: AuthService, blue: TeamView) -> None:
    put(house, blue, name="navy")
    added = house.call("POST", f"/api/v1/teams/{blue.id}/members", user="owner", json={"user": "other"}).get_json()
    address = f"/api/v1/teams/{blue.id}/members/{added['id']}"
    for role in ("contributor", "contributor"):
        house.call("PUT", address, user="owner", json={"role": role})
    house.call("DELETE", address, user="owner")
    delete(house, blue)

    by = {"actor": "owner"}
    other = {"team": "navy", "username": "other", **by}
    assert events(house, "auth.team", "auth.member")[-5:] == [
        {"type": "auth.team.updated.v1", "name": "navy", "previous_name": "blue", **by},
        {"type": "auth.member.added.v1", **other, "role": "viewer"},
        {"type": "auth.member.updated.v1", **other, "role": "contributor"},
        {"type": "auth.member.removed.v1", **other},
        {"type": "auth.team.deleted.v1", "name": "navy", **by},
    ]


def test_a_disabled_person_gets_no_team(house: AuthService, blue: TeamView) -> None:
    viewer = house.call("GET", "/api/v1/users/self", user="viewer").get_json()["id"]
    house.call("PUT", f"/api/v1/users/{viewer}", user="admin", json={"enabled": False})

    response = house.call("POST", "/api/v1/teams", user="admin", json={"name": "red", "owner_id": viewer})

    assert_problem(response, 422, "owner_id")


def suggested(auth: AuthService, path: str, user: str) -> list[str]:
    return [one["name"] for one in auth.call("GET", f"/api/v1/teams/{path}", user=user).get_json()]


def test_teams_are_suggested_to_those_who_may_see_them(house: AuthService, blue: TeamView) -> None:
    """Portus gave every team's name to everybody, hidden ones too."""
    house.make_team("Black", owner=house.make_user("green-owner"))

    assert suggested(house, "typeahead/bL", "viewer") == ["blue"]
    assert suggested(house, "typeahead/bl", "other") == []
    assert suggested(house, "typeahead/bl", "admin") == ["Black", "blue"]
    assert suggested(house, "typeahead/v", "viewer") == suggested(house, "typeahead/p", "admin") == []


@pytest.mark.parametrize("typed", ["%25", "_", "%00", "%ED%A0%80", "x" * 300])
def test_what_is_typed_is_no_pattern_and_no_error(house: AuthService, blue: TeamView, typed: str) -> None:
    assert suggested(house, f"typeahead/{typed}", "admin") == []
    assert suggested(house, f"{blue.id}/typeahead/{typed}", "admin") == []


def test_suggestions_are_few(house: AuthService, blue: TeamView) -> None:
    for number in range(LIMIT + 1):
        house.make_team(f"team{number}", owner=house.make_user(f"user{number:02}"))

    assert len(suggested(house, "typeahead/team", "admin")) == LIMIT
    assert len(suggested(house, f"{blue.id}/typeahead/user", "owner")) == LIMIT


def test_new_members_are_suggested_to_owners_by_either_name(house: AuthService, blue: TeamView) -> None:
    house.make_user("zoe", display_name="Ottilie")
    disabled = house.make_user("otto")
    house.call("PUT", f"/api/v1/users/{disabled.id}", user="admin", json={"enabled": False})

    assert suggested(house, f"{blue.id}/typeahead/OT", "owner") == ["other", "zoe"]
    assert suggested(house, f"{blue.id}/typeahead/view", "owner") == []
    assert_problem(house.call("GET", f"/api/v1/teams/{blue.id}/typeahead/ot", user="viewer"), 403)
    assert_problem(house.call("GET", f"/api/v1/teams/{blue.id}/typeahead/ot", user="other"), 404)


def test_a_member_tells_what_a_client_of_either_api_looks_for(house: AuthService, blue: TeamView) -> None:
    rows = house.call("GET", f"/api/v1/teams/{blue.id}/members", user="viewer").get_json()

    (me,) = [row for row in rows if row["username"] == "viewer"]
    assert (me["current"], me["enabled"], me["bot"], me["admin"], me["role"]) == (True, True, False, False, "viewer")
    assert [row["username"] for row in rows if row["current"]] == ["viewer"]
