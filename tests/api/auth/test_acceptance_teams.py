"""The acceptance cases of Portus on teams and members, by their numbers (11.8)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.domain.management import Switches
from services.auth.domain.teams import Role
from services.auth.storage.teams import TeamView
from tests.support.auth import AuthFactory, AuthService, assert_problem


@pytest.fixture
def t(auth: AuthService) -> TeamView:
    """T of owner, contrib and viewer; other is in no team."""
    auth.make_user("admin", administrator=True)
    for name in ("contrib", "viewer", "other"):
        auth.make_user(name)
    return auth.make_team("T", owner=auth.make_user("owner"), contrib=Role.CONTRIBUTOR, viewer=Role.VIEWER)


def members(auth: AuthService, team: TeamView) -> dict[str, Any]:
    rows = auth.call("GET", f"/api/v1/teams/{team.id}/members", user="admin").get_json()
    return {row["username"]: row for row in rows}


def add(auth: AuthService, team_id: int, user: str, role: str = "viewer") -> TestResponse:
    return auth.call("POST", f"/api/v1/teams/{team_id}/members", user="owner", json={"user": user, "role": role})


def member(auth: AuthService, team: TeamView, method: str, name: str, **options: Any) -> TestResponse:
    member_id = members(auth, team)[name]["id"]
    return auth.call(method, f"/api/v1/teams/{team.id}/members/{member_id}", user="owner", **options)


def test_case_101_anybody_makes_a_team_and_owns_it(auth: AuthService, t: TeamView) -> None:
    made = auth.call("POST", "/api/v1/teams", user="other", json={"name": "red"})

    assert (made.status_code, made.get_json()["role"]) == (201, "owner")


def test_case_101_where_the_switch_is_off_only_administrators_do(make_auth: AuthFactory, t: TeamView) -> None:
    auth = make_auth(switches=Switches(create_team=False))

    assert_problem(auth.call("POST", "/api/v1/teams", user="other", json={"name": "red"}), 403)
    assert auth.call("POST", "/api/v1/teams", user="admin", json={"name": "red"}).status_code == 201


def test_case_102_only_administrators_name_the_owner(auth: AuthService, t: TeamView) -> None:
    other = members(auth, t)["contrib"]["user_id"]
    body = {"name": "red", "owner_id": other}

    assert_problem(auth.call("POST", "/api/v1/teams", user="owner", json=body), 403)
    made = auth.call("POST", "/api/v1/teams", user="admin", json=body).get_json()
    assert auth.call("GET", f"/api/v1/teams/{made['id']}", user="contrib").get_json()["role"] == "owner"


def test_case_104_an_administrator_in_a_team_is_an_owner_and_stays_one(auth: AuthService, t: TeamView) -> None:
    assert add(auth, t.id, "admin", "viewer").get_json()["role"] == "owner"
    assert_problem(member(auth, t, "PUT", "admin", json={"role": "viewer"}), 422)


def test_case_105_the_only_owner_is_neither_removed_nor_demoted(auth: AuthService, t: TeamView) -> None:
    assert_problem(member(auth, t, "PUT", "owner", json={"role": "viewer"}), 422)
    assert_problem(member(auth, t, "DELETE", "owner"), 422)


def test_case_107_nobody_joins_twice_and_nobody_unknown_joins(auth: AuthService, t: TeamView) -> None:
    assert_problem(add(auth, t.id, "viewer"), 422)
    assert_problem(add(auth, t.id, "nobody"), 404)
    assert_problem(add(auth, 99_999, "other"), 404)


@pytest.mark.parametrize("user", ["owner", "admin"])
def test_case_109_a_hidden_team_is_neither_opened_nor_changed(auth: AuthService, t: TeamView, user: str) -> None:
    hidden = auth.call("GET", "/api/v1/namespaces?name=owner", user="owner").get_json()[0]["team"]
    address = f"/api/v1/teams/{hidden['id']}"

    assert hidden["hidden"] is True
    assert_problem(auth.call("GET", address, user=user), 404)
    assert_problem(auth.call("PUT", address, user=user, json={"description": "mine"}), 404)
    assert_problem(auth.call("DELETE", address, user=user), 404)


def test_case_110_a_disabled_member_is_not_listed(auth: AuthService, t: TeamView) -> None:
    viewer = members(auth, t)["viewer"]["user_id"]

    auth.call("PUT", f"/api/v1/users/{viewer}", user="admin", json={"enabled": False})

    assert set(members(auth, t)) == {"owner", "contrib"}
