"""What somebody may manage in a namespace, asked by a peer that acts for them."""

from typing import Any

import pytest

from services.auth.domain.management import Switches
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET, PASSWORD, AuthFactory, AuthService, basic

SHOW, CREATE, MANAGE = OPERATIONS = ["webhook.show", "webhook.create", "webhook.manage"]
ALL, NONE = set(OPERATIONS), set[str]()


def populate(auth: AuthService) -> AuthService:
    auth.make_user("stranger")
    auth.make_user("viewer")
    auth.make_user("contributor")
    auth.make_user("admin", administrator=True)
    auth.make_user("auditor", auditor=True)
    team = auth.make_team(owner=auth.make_user("owner"), viewer=Role.VIEWER, contributor=Role.CONTRIBUTOR)
    auth.make_namespace("private", team=team)
    auth.make_namespace("public", team=team, visibility=Visibility.PUBLIC)
    return auth


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    return populate(auth)


def ask(auth: AuthService, user: str | None, namespace_id: int | None, *, password: str = PASSWORD) -> Any:
    headers = {PEER_HEADER: INTERNAL_SECRET, **basic(user, password)}
    question = {"namespace_id": namespace_id, "operations": OPERATIONS}
    answer = auth.client.post("/internal/v1/operations", json=question, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def id_of(auth: AuthService, name: str) -> int:
    found = auth.call("GET", f"/api/v1/namespaces?name={name}", user="admin").get_json()
    return int(found[0]["id"])


def team_of(auth: AuthService, namespace: str) -> int:
    """Return the number of the team that a namespace belongs to."""
    found = auth.call("GET", f"/api/v1/namespaces?name={namespace}", user="admin").get_json()
    return int(found[0]["team"]["id"])


def allowed(answer: Any) -> set[str]:
    assert all(decision["reason"] for decision in answer["operations"].values())
    return {name for name, decision in answer["operations"].items() if decision["allowed"]}


@pytest.mark.parametrize(
    ("user", "operations"),
    [
        ("owner", ALL),
        ("admin", ALL),
        ("auditor", {SHOW}),
        ("contributor", {SHOW}),
        ("viewer", {SHOW}),
    ],
)
def test_172_members_see_webhooks_and_owners_manage_them(world: AuthService, user: str, operations: set[str]) -> None:
    answer = ask(world, user, id_of(world, "private"))

    assert (answer["namespace"], answer["subject"]["username"]) == (
        {"name": "private", "team_id": team_of(world, "private")},
        user,
    )
    assert allowed(answer) == operations


@pytest.mark.parametrize("user", ["stranger", None])
def test_whoever_sees_nothing_of_a_namespace_is_told_the_same_as_of_none(world: AuthService, user: str | None) -> None:
    hidden, missing = ask(world, user, id_of(world, "private")), ask(world, user, 9999)

    assert hidden == missing
    assert (hidden["namespace"], allowed(hidden)) == (None, NONE)


@pytest.mark.parametrize("user", ["stranger", None])
def test_seeing_a_namespace_is_not_being_in_its_team(world: AuthService, user: str | None) -> None:
    answer = ask(world, user, id_of(world, "public"))

    assert (answer["namespace"], allowed(answer)) == ({"name": "public", "team_id": team_of(world, "public")}, NONE)


def test_172_with_the_switches_off_only_administrators_do(make_auth: AuthFactory) -> None:
    switched = [({"create_webhook": False}, {SHOW, MANAGE}), ({"manage_webhook": False}, {SHOW, CREATE})]
    populate(make_auth())
    for switches, left in switched:
        auth = make_auth(switches=Switches(**switches))
        namespace = id_of(auth, "private")

        assert allowed(ask(auth, "owner", namespace)) == left
        assert allowed(ask(auth, "admin", namespace)) == ALL


@pytest.mark.parametrize(("user", "operations"), [("admin", ALL), ("auditor", {SHOW}), ("owner", NONE), (None, NONE)])
def test_the_installation_is_the_administrators(world: AuthService, user: str | None, operations: set[str]) -> None:
    answer = ask(world, user, None)

    assert (answer["namespace"], allowed(answer)) == (None, operations)


@pytest.mark.parametrize("user", ["owner", "admin"])
@pytest.mark.parametrize("narrowing", [{"actions": ["pull"]}, {"namespaces": ["private"]}])
def test_a_narrowed_token_manages_nothing(world: AuthService, user: str, narrowing: dict[str, Any]) -> None:
    wanted = {"application": "ci", **narrowing}
    made = world.call("POST", "/api/v1/application_tokens", user=user, json=wanted)
    token = made.get_json()["plain_token"]

    assert allowed(ask(world, user, id_of(world, "private"), password=token)) == NONE
    assert allowed(ask(world, user, None, password=token)) == NONE


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"namespace_id": 1},
        {"namespace_id": 1, "operations": []},
        {"namespace_id": 1, "operations": ["webhook.steal"]},
        {"namespace_id": "one", "operations": OPERATIONS},
        {"namespace_id": -1, "operations": OPERATIONS},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(world: AuthService, question: dict[str, Any]) -> None:
    answer = world.client.post("/internal/v1/operations", json=question, headers={PEER_HEADER: INTERNAL_SECRET})

    assert answer.status_code == 422


def test_only_peers_may_ask(world: AuthService) -> None:
    question = {"namespace_id": None, "operations": OPERATIONS}

    assert world.client.post("/internal/v1/operations", json=question, headers=basic("admin")).status_code == 404
