"""Questions about rights over the API: why, what would a token hold, who can."""

from typing import Any
from urllib.parse import urlencode

import pytest

from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from tests.support.auth import AuthFactory, AuthService, assert_problem


@pytest.fixture
def house(auth: AuthService) -> AuthService:
    owner = auth.make_user("owner")
    for name in ("viewer", "stranger"):
        auth.make_user(name)
    auth.make_user("admin", administrator=True)
    team = auth.make_team("platform", owner=owner, viewer=Role.VIEWER)
    auth.make_namespace("team-a", team=team)
    auth.make_namespace("open", team=team, visibility=Visibility.PUBLIC)
    return auth


def explain(auth: AuthService, user: str, repository: str, *actions: str, **about: object) -> Any:
    query = urlencode([("repository", repository), *(("action", each) for each in actions), *about.items()])
    response = auth.call("GET", f"/api/v1/explain?{query}", user=user)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


def test_a_refusal_says_what_is_missing_and_who_can_give_it(house: AuthService) -> None:
    body = explain(house, "viewer", "team-a/app", "push")

    (decision,) = body["decisions"]
    assert (decision["allowed"], decision["rule"], decision["standing"]) == (
        False,
        "push.allow-teams",
        "a viewer of the team",
    )
    assert decision["remedies"][0] == {
        "change": "Become a contributor of the team 'platform'.",
        "givers": ["the owners of the team", "the administrators"],
    }
    assert (body["owners"], body["administrators"]) == (["owner"], ["admin"])
    assert body["namespace"]["role"] == "viewer"


def test_what_is_allowed_names_its_path(house: AuthService) -> None:
    pull, push, delete = explain(house, "owner", "team-a/app")["decisions"]

    assert [each["allowed"] for each in (pull, push, delete)] == [True, True, False]
    assert push["paths"] == [
        {
            "kind": "standing",
            "rule": "push.allow-teams",
            "standing": "an owner of the team",
            "grant_id": None,
            "team": "platform",
        }
    ]


def test_a_private_namespace_looks_like_none_to_whoever_has_no_part_in_it(house: AuthService) -> None:
    private = explain(house, "stranger", "team-a/app")
    missing = explain(house, "stranger", "team-b/app")

    assert {**private, "repository": ""} == {**missing, "repository": ""}
    assert "platform" not in str(private)


def test_simulating_says_no_more_to_a_stranger_than_explaining(house: AuthService) -> None:
    def simulated(name: str) -> str:
        scopes = [f"repository:{name}/app:pull,push,delete"]
        return house.call("POST", "/api/v1/simulate", user="stranger", json={"scopes": scopes}).get_data(as_text=True)

    assert simulated("team-a").replace("team-a", "") == simulated("team-b").replace("team-b", "")


def test_a_simulated_token_holds_what_a_real_one_holds(house: AuthService, make_auth: AuthFactory) -> None:
    bare = make_auth(explain_refusals=False)
    scopes = ["repository:team-a/app:pull,push,delete", "repository:nowhere/x:pull", "registry:catalog:*"]
    for user in ("owner", "viewer", "stranger", "admin"):
        body = house.call(
            "POST", "/api/v1/simulate", user="admin", json={"username": user, "scopes": scopes}
        ).get_json()

        assert body["granted"] == bare.access(*scopes, user=user)


def test_an_anonymous_callers_token_can_be_simulated(house: AuthService) -> None:
    body = {"anonymous": True, "scopes": ["repository:open/x:pull", "repository:team-a/x:pull"]}

    answer = house.call("POST", "/api/v1/simulate", user="viewer", json=body).get_json()

    assert answer["granted"] == ["repository:open/x:pull"]
    assert answer["subject"]["kind"] == "anonymous"


def test_owners_ask_about_others_in_their_own_namespace_only(house: AuthService) -> None:
    mine = house.call("GET", "/api/v1/explain?repository=team-a/app&username=viewer", user="owner")
    theirs = house.call("GET", "/api/v1/explain?repository=stranger/app&username=viewer", user="owner")
    nosy = house.call("GET", "/api/v1/explain?repository=team-a/app&username=owner", user="viewer")

    assert mine.status_code == 200
    assert_problem(theirs, 403)
    assert_problem(nosy, 403)


def test_nobody_is_found_only_by_who_may_ask(house: AuthService) -> None:
    path = "/api/v1/explain?repository=team-a/app&username=nobody"

    assert_problem(house.call("GET", path, user="admin"), 404)
    assert_problem(house.call("GET", path, user="stranger"), 403)


def test_who_can_lists_people_with_their_paths(house: AuthService) -> None:
    response = house.call("GET", "/api/v1/who-can?repository=team-a/app&action=pull", user="owner")

    body = response.get_json()
    assert {holder["username"]: [path["standing"] for path in holder["paths"]] for holder in body["holders"]} == {
        "owner": ["an owner of the team"],
        "viewer": ["a viewer of the team"],
        "admin": ["an administrator"],
    }
    assert (body["everybody"], body["signed_in"]) == (False, False)


def test_who_can_is_walked_by_its_link(house: AuthService) -> None:
    path, names = "/api/v1/who-can?repository=team-a/app&action=push&per_page=1", []
    while path:
        response = house.call("GET", path, user="admin")
        names += [holder["username"] for holder in response.get_json()["holders"]]
        path = response.headers.get("Link", "").partition(">")[0].lstrip("<")

    assert names == ["owner", "admin"]


def test_what_is_public_says_so(house: AuthService) -> None:
    body = house.call("GET", "/api/v1/who-can?repository=open/app&action=pull", user="owner").get_json()

    assert (body["everybody"], body["signed_in"]) == (True, True)


@pytest.mark.parametrize("user", ["viewer", "stranger"])
@pytest.mark.parametrize("repository", ["team-a/app", "nowhere/app"])
def test_who_can_is_not_for_everybody(house: AuthService, user: str, repository: str) -> None:
    assert_problem(house.call("GET", f"/api/v1/who-can?repository={repository}&action=pull", user=user), 403)


@pytest.mark.parametrize(
    "query", ["repository=A", "repository=a&action=fly", "action=pull", "repository=a&username=" + "x" * 256]
)
def test_what_cannot_be_asked(house: AuthService, query: str) -> None:
    assert house.call("GET", f"/api/v1/explain?{query}", user="admin").status_code in (400, 422)


@pytest.mark.parametrize("scope", ["whale:a:pull", "repository:A:pull", "nonsense"])
def test_what_cannot_be_simulated(house: AuthService, scope: str) -> None:
    assert_problem(house.call("POST", "/api/v1/simulate", user="admin", json={"scopes": [scope]}), 422, "scopes")


def test_an_unknown_registry_is_not_found(house: AuthService) -> None:
    assert_problem(house.call("GET", "/api/v1/explain?repository=a/b&service=other", user="admin"), 404)
