"""``GET /internal/v1/visibility`` and the key set."""

import base64
from typing import Any

import jwt
import pytest

from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from shared.api.peers import PEER_HEADER
from tests.support.auth import (
    INTERNAL_SECRET,
    PASSWORD,
    SERVICE,
    SERVICE_ACCOUNT_SECRET,
    AuthService,
    assert_problem,
    basic,
)

PATH = "/internal/v1/visibility"


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    auth.make_user("stranger")
    auth.make_user("viewer")
    auth.make_user("admin", administrator=True)
    team = auth.make_team(owner=auth.make_user("owner"), viewer=Role.VIEWER)
    for visibility in Visibility:
        auth.make_namespace(visibility.value, team=team, visibility=visibility)
    return auth


def visible(auth: AuthService, headers: dict[str, str]) -> Any:
    return auth.client.get(PATH, headers={**headers, PEER_HEADER: INTERNAL_SECRET})


def without_id(body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the number of the caller, who must have one unless it is Portus itself."""
    subject = dict(body["subject"] or {"id": 0})
    assert isinstance(subject.pop("id"), int) or subject["kind"] == "internal"
    return {**body, "subject": subject or None}


@pytest.mark.parametrize(
    ("user", "names"),
    [
        (None, ["public"]),
        ("stranger", ["protected", "public", "stranger"]),
        ("viewer", ["private", "protected", "public", "viewer"]),
    ],
)
def test_a_caller_sees_what_may_be_pulled(world: AuthService, user: str | None, names: list[str]) -> None:
    body = visible(world, basic(user)).get_json()

    subject = {"username": user, "kind": "person", "administrator": False, "auditor": False, "narrowed": False}
    assert without_id(body) == {
        "subject": None if user is None else subject,
        "everything": False,
        "global_namespace": True,
        "namespaces": names,
        "repositories": [],
    }


@pytest.mark.parametrize(
    ("user", "password", "subject"),
    [
        (
            "admin",
            PASSWORD,
            {"username": "admin", "kind": "person", "administrator": True, "auditor": False, "narrowed": False},
        ),
        (
            "portus",
            SERVICE_ACCOUNT_SECRET,
            {"username": "portus", "kind": "internal", "administrator": False, "auditor": False, "narrowed": False},
        ),
    ],
)
def test_administrators_and_portus_see_everything(
    world: AuthService, user: str, password: str, subject: dict[str, Any]
) -> None:
    body = visible(world, basic(user, password)).get_json()

    assert without_id(body) == {
        "subject": subject,
        "everything": True,
        "global_namespace": True,
        "namespaces": [],
        "repositories": [],
    }


@pytest.mark.parametrize("narrowing", [{"actions": ["pull"]}, {"namespaces": ["public"]}])
def test_a_narrowed_token_carries_no_office(world: AuthService, narrowing: dict[str, Any]) -> None:
    """Made to pull images with, it must not change rules or throw messages away in an administrator's name."""
    world.make_user("auditor", auditor=True)
    for user in ("admin", "auditor"):
        wanted = {"application": "ci", **narrowing}
        made = world.call("POST", "/api/v1/application_tokens", user=user, json=wanted)
        subject = visible(world, basic(user, made.get_json()["plain_token"])).get_json()["subject"]

        assert (subject["username"], subject["administrator"], subject["auditor"]) == (user, False, False)


def test_an_access_token_counts_like_a_password(world: AuthService) -> None:
    signed_in = world.client.post("/api/v1/sessions", json={"username": "viewer", "password": PASSWORD}).get_json()

    body = visible(world, {"Authorization": f"Bearer {signed_in['access_token']}"}).get_json()

    assert body == visible(world, basic("viewer")).get_json()


def test_a_protected_global_namespace_is_hidden_from_anonymous_callers(world: AuthService) -> None:
    world.set_global_visibility(Visibility.PROTECTED)

    assert visible(world, {}).get_json()["global_namespace"] is False
    assert visible(world, basic("stranger")).get_json()["global_namespace"] is True


@pytest.mark.parametrize(
    "headers",
    [basic("viewer", "wrong password"), basic("nobody"), {"Authorization": "Bearer x"}, {"Authorization": "?"}],
)
def test_a_wrong_credential_is_401_and_not_anonymous(world: AuthService, headers: dict[str, str]) -> None:
    assert_problem(visible(world, headers), 401)


@pytest.mark.parametrize("headers", [{}, {PEER_HEADER: ""}, {PEER_HEADER: "wrong"}, basic("admin")])
def test_nobody_but_peers_finds_the_route(world: AuthService, headers: dict[str, str]) -> None:
    assert_problem(world.client.get(PATH, headers=headers), 404)


def test_the_list_and_the_token_agree(world: AuthService) -> None:
    names = ["public", "protected", "private", "stranger", "viewer", "owner", "unknown"]
    for user in (None, "stranger", "viewer", "owner"):
        listed = set(visible(world, basic(user)).get_json()["namespaces"])
        pulled = {name for name in names if world.access(f"repository:{name}/x:pull", user=user)}
        assert pulled == listed


def test_the_key_set_verifies_tokens(world: AuthService) -> None:
    token = world.get_token().get_json()["token"]

    response = world.client.get("/.well-known/jwks.json")

    keys = {key["kid"]: key for key in response.get_json()["keys"]}
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
    assert "d" not in key
    # RFC 7518 §6.2.1.2: 32 bytes each, zeros in front included.
    assert [len(base64.urlsafe_b64decode(key[name] + "=")) for name in ("x", "y")] == [32, 32]
    assert jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256"], audience=SERVICE)


def name_of(auth: AuthService, namespace_id: int, user: str | None) -> Any:
    headers = {**basic(user), PEER_HEADER: INTERNAL_SECRET}
    return auth.client.get(f"{PATH}?namespace_id={namespace_id}", headers=headers).get_json()["namespace"]


def test_a_peer_is_told_which_namespace_has_an_id_where_the_caller_may_see_it(world: AuthService) -> None:
    ids = {row["name"]: row["id"] for row in world.call("GET", "/api/v1/namespaces?all=true", user="admin").get_json()}

    for user in (None, "stranger", "viewer", "owner"):
        seen = visible(world, basic(user)).get_json()["namespaces"]
        told = [found["name"] for number in ids.values() if (found := name_of(world, number, user))]
        assert sorted(name for name in told if name) == seen
    assert name_of(world, world.global_namespace_id, None) == {"name": ""}
    assert name_of(world, 2**31 - 1, "admin") is None


@pytest.mark.parametrize("number", ["x", "-1", "2147483648", ""])
def test_what_is_no_id_is_refused(world: AuthService, number: str) -> None:
    answer = world.client.get(f"{PATH}?namespace_id={number}", headers={PEER_HEADER: INTERNAL_SECRET})

    assert_problem(answer, 422)
