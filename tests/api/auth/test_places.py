"""``POST /internal/v1/repositories``: where repositories lie and what a caller may do to each, asked by a peer."""

from typing import Any

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.teams import Role
from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET, PASSWORD, AuthFactory, AuthService, assert_problem, basic

ACTIONS = ["pull", "push", "delete", "describe", "fly"]
REPOSITORIES = ["team-a/web", "team-a/x/y", "team-b/web", "owner/own", "lost/web", "top"]
PATH = "/internal/v1/repositories"
PEER = {PEER_HEADER: INTERNAL_SECRET}


@pytest.fixture
def world(make_auth: AuthFactory) -> AuthService:
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS))
    for name in ("viewer", "stranger"):
        auth.make_user(name)
    auth.make_user("admin", administrator=True)
    team = auth.make_team(owner=auth.make_user("owner"), viewer=Role.VIEWER)
    auth.make_namespace("team-a", team=team)
    other = auth.make_namespace("team-b", team=auth.make_team("other", owner=auth.make_user("olga")))
    grant = {"user": "viewer", "actions": ["pull", "delete"], "pattern": "team-b/w*"}
    assert auth.call("POST", f"/api/v1/namespaces/{other.id}/grants", user="olga", json=grant).status_code == 201
    return auth


def ask(auth: AuthService, headers: dict[str, str], *repositories: str) -> Any:
    question = {"repositories": repositories, "actions": ACTIONS}
    return auth.client.post(PATH, json=question, headers={**headers, **PEER}).get_json()["repositories"]


def allowed(auth: AuthService, headers: dict[str, str], repository: str) -> list[str]:
    """Return what the question about one repository allows."""
    question = {"repository": repository, "actions": ACTIONS}
    answer = auth.client.post("/internal/v1/permissions", json=question, headers={**headers, **PEER}).get_json()
    return [action for action in ACTIONS if answer["actions"][action]["allowed"]]


@pytest.mark.parametrize("user", ["admin", "owner", "viewer", "stranger", None])
def test_of_many_the_same_is_said_as_of_one(user: str | None, world: AuthService) -> None:
    answer = ask(world, basic(user), *REPOSITORIES)

    assert {name: one["allowed"] for name, one in answer.items()} == {
        name: allowed(world, basic(user), name) for name in REPOSITORIES
    }


def test_a_narrowed_token_leaves_out_what_it_does_not_carry(world: AuthService) -> None:
    wanted = {"application": "ci", "actions": ["pull", "push"]}
    token = world.call("POST", "/api/v1/application_tokens", user="owner", json=wanted).get_json()["plain_token"]

    whole, narrowed = (ask(world, basic("owner", secret), "team-a/web")["team-a/web"] for secret in (PASSWORD, token))

    assert whole["allowed"] == ["pull", "push", "delete", "describe"]
    assert narrowed["allowed"] == ["pull", "push"]


def test_a_namespace_is_named_to_those_who_pull_from_it(world: AuthService) -> None:
    known = {row["name"]: row["id"] for row in world.call("GET", "/api/v1/namespaces", user="admin").get_json()}

    ids = {
        user: {name: one["namespace_id"] for name, one in ask(world, basic(user), *REPOSITORIES).items()}
        for user in ("admin", "viewer", "stranger")
    }

    assert ids["admin"] == {
        "team-a/web": known["team-a"],
        "team-a/x/y": known["team-a"],
        "team-b/web": known["team-b"],
        "owner/own": known["owner"],
        "lost/web": None,
        "top": world.global_namespace_id,
    }
    assert {name for name, number in ids["viewer"].items() if number} == {
        "team-a/web",
        "team-a/x/y",
        "team-b/web",
        "top",
    }
    assert {name for name, number in ids["stranger"].items() if number} == {"top"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"repositories": "x", "actions": ["pull"]},
        {"repositories": ["x"], "actions": []},
        {"repositories": [""], "actions": ["pull"]},
        {"repositories": ["x" * 256], "actions": ["pull"]},
        {"repositories": ["x"] * 1001, "actions": ["pull"]},
    ],
)
def test_what_is_no_question_is_refused(wrong: dict[str, Any], world: AuthService) -> None:
    assert_problem(world.client.post(PATH, json=wrong, headers=PEER), 422)


def test_nobody_but_peers_finds_the_route(world: AuthService) -> None:
    question = {"repositories": ["top"], "actions": ["pull"]}

    assert_problem(world.client.post(PATH, json=question, headers=basic("admin")), 404)


def test_a_wrong_credential_is_401_and_not_anonymous(world: AuthService) -> None:
    question = {"repositories": ["top"], "actions": ["pull"]}

    assert_problem(world.client.post(PATH, json=question, headers={**basic("owner", "wrong"), **PEER}), 401)
