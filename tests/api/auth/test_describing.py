"""Who may describe a repository, asked by a peer that acts for somebody."""

from typing import Any

import pytest

from services.auth.domain.teams import Role
from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET, AuthService, basic


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


def test_in_their_own_namespace_people_may(world: AuthService) -> None:
    assert ask(world, "stranger", "stranger/app")["describe"]["allowed"]
