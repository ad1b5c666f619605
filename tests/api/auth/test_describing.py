"""Who may describe a repository, asked by a peer that acts for somebody."""

from typing import Any

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.teams import Role
from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET, AuthFactory, AuthService, basic


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    auth.make_user("stranger")
    auth.make_user("viewer")
    auth.make_user("contributor")
    auth.make_user("admin", administrator=True)
    owner = auth.make_user("owner")
    team = auth.make_team(owner=owner, viewer=Role.VIEWER, contributor=Role.CONTRIBUTOR)
    auth.make_namespace("team-a", team=team)
    return auth


def ask(auth: AuthService, user: str | None, repository: str) -> Any:
    headers = {PEER_HEADER: INTERNAL_SECRET, **(basic(user) if user else {})}
    question = {"repository": repository, "actions": ["describe", "pull"]}
    return auth.client.post("/internal/v1/permissions", json=question, headers=headers).json["actions"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("user", "allowed"),
    [("owner", True), ("admin", True), ("contributor", False), ("viewer", False), ("stranger", False), (None, False)],
)
def test_owners_and_administrators_may_describe(user: str | None, allowed: bool, world: AuthService) -> None:
    answer = ask(world, user, "team-a/web")

    assert answer["describe"]["allowed"] is allowed
    assert answer["describe"]["reason"]
    assert "pull" in answer


@pytest.mark.parametrize(("user", "allowed"), [("owner", False), ("admin", True)])
@pytest.mark.parametrize("repository", ["unknown/web", "web"])
def test_elsewhere_administrators_may(repository: str, user: str, allowed: bool, world: AuthService) -> None:
    assert ask(world, user, repository)["describe"]["allowed"] is allowed


def test_a_narrowed_token_describes_nothing(world: AuthService) -> None:
    wanted = {"application": "ci", "actions": ["pull", "push"]}
    token = world.call("POST", "/api/v1/application_tokens", user="owner", json=wanted).get_json()["plain_token"]
    headers = {PEER_HEADER: INTERNAL_SECRET, **basic("owner", token)}
    question = {"repository": "team-a/web", "actions": ["describe", "pull"]}

    answer = world.client.post("/internal/v1/permissions", json=question, headers=headers).get_json()["actions"]

    assert (answer["describe"]["allowed"], answer["pull"]["allowed"]) == (False, True)


def test_in_their_own_namespace_people_may(world: AuthService) -> None:
    assert ask(world, "stranger", "stranger/app")["describe"]["allowed"]


@pytest.mark.parametrize(
    ("user", "pattern", "allowed"),
    [
        ("owner", None, True),
        ("viewer", None, False),
        ("viewer", "team-a/*", True),
        ("viewer", "team-a/app-*", False),
        ("viewer", "team-a/**", True),
        ("stranger", "team-a/*", True),
    ],
)
def test_a_star_asks_for_all_of_a_namespace(
    make_auth: AuthFactory, user: str, pattern: str | None, allowed: bool
) -> None:
    """So that a peer learns whether somebody may do something to whatever a namespace holds, or will."""
    auth = make_auth(policy=Policy(PushPolicy.ALLOW_TEAMS, DeletePolicy.OWNERS))
    for name in ("stranger", "viewer"):
        auth.make_user(name)
    owner = auth.make_user("owner")
    namespace = auth.make_namespace("team-a", team=auth.make_team(owner=owner, viewer=Role.VIEWER))
    if pattern:
        grant = {"user": user, "actions": ["delete"], "pattern": pattern}
        answer = auth.call("POST", f"/api/v1/namespaces/{namespace.id}/grants", user="owner", json=grant)
        assert answer.status_code == 201, answer.text

    headers = {PEER_HEADER: INTERNAL_SECRET, **basic(user)}
    question = {"repository": "team-a/*", "actions": ["delete"]}
    found = auth.client.post("/internal/v1/permissions", json=question, headers=headers).get_json()

    assert found["actions"]["delete"]["allowed"] is allowed


def test_a_peer_learns_which_namespaces_nobody_has_made(world: AuthService) -> None:
    question = {"names": ["team-a", "lost", "owner", "also-lost"]}
    headers = {PEER_HEADER: INTERNAL_SECRET}

    answer = world.client.post("/internal/v1/namespaces/unknown", json=question, headers=headers)

    assert answer.get_json() == {"unknown": ["also-lost", "lost"]}
    assert world.client.post("/internal/v1/namespaces/unknown", json=question).status_code == 404
    for wrong in ({}, {"names": "x"}, {"names": [""]}, {"names": ["x"] * 1001}):
        assert world.client.post("/internal/v1/namespaces/unknown", json=wrong, headers=headers).status_code == 422
