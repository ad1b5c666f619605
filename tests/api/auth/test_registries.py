"""Several registries under one authority."""

from typing import Any

import pytest
from sqlalchemy import select

from services.auth.clients.registry import RegistryAnswer, probe_registry
from services.auth.storage.tables import audit_entries
from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET, SERVICE, AuthService, access_of, assert_problem, basic, claims_of
from tests.support.ports import free_port

NEW = {"name": "second", "hostname": "second.example.org", "service": "second-registry"}


@pytest.fixture
def house(auth: AuthService) -> AuthService:
    auth.make_user("admin", administrator=True)
    auth.make_user("jane")
    return auth


def enter(auth: AuthService, **changes: Any) -> Any:
    response = auth.call("POST", "/api/v1/registries?force=true", user="admin", json={**NEW, **changes})
    assert response.status_code == 201, response.get_data(as_text=True)
    return response.get_json()


def put(auth: AuthService, registry_id: int, **changes: Any) -> Any:
    return auth.call("PUT", f"/api/v1/registries/{registry_id}?force=true", user="admin", json={"registry": changes})


def test_the_first_registry_is_what_the_environment_says(house: AuthService) -> None:
    (first,) = house.call("GET", "/api/v1/registries", user="admin").get_json()

    assert (first["id"], first["service"], first["hostname"]) == (1, SERVICE, "registry.example.org")


def test_a_token_for_another_registry_is_for_it_alone(house: AuthService) -> None:
    enter(house, token_ttl_s=300)

    token = house.get_token("repository:alpine:pull,push", user="admin", service="second-registry").get_json()

    claims = claims_of(token["token"])
    assert (claims["aud"], token["expires_in"]) == ("second-registry", 300)
    assert access_of(token["token"]) == ["repository:alpine:pull,push"]


def test_a_namespace_belongs_to_one_registry(house: AuthService) -> None:
    enter(house)

    assert house.access("repository:jane/app:push", user="jane") == ["repository:jane/app:push"]
    assert house.access("repository:jane/app:push", user="jane", service="second-registry") == []


def test_namespaces_name_their_registry_where_there_are_several(house: AuthService) -> None:
    def listed(**query: str) -> dict[str, Any]:
        rows = house.call("GET", "/api/v1/namespaces", user="admin", query_string=query).get_json()
        return {row["name"]: row.get("registry", "not a word") for row in rows}

    assert set(listed().values()) == {"not a word"}

    second = enter(house)
    house.call("POST", "/api/v1/teams", user="jane", json={"name": "blue"})
    fresh = {"name": "fresh", "team": "blue", "registry": "second"}
    made = house.call("POST", "/api/v1/namespaces", user="jane", json=fresh).get_json()

    assert made["registry"] == {"id": second["id"], "name": "second"}
    assert listed()["jane"] != listed()["fresh"] == made["registry"]
    assert set(listed(registry="second")) == {"fresh", "second.example.org"}
    # The catalogue reads the first registry, and so is told of its namespaces only.
    peer = {**basic("jane"), PEER_HEADER: INTERNAL_SECRET}
    told = house.client.get("/internal/v1/visibility", headers=peer, query_string={"namespace_id": made["id"]})
    assert told.get_json()["namespace"] is None


def test_a_registry_may_have_a_policy_of_its_own(house: AuthService) -> None:
    registry = enter(house, delete_policy="owners")
    scope = "repository:alpine:delete"

    assert house.access(scope, user="admin", service="second-registry") == [scope]
    put(house, registry["id"], delete_policy="nobody")
    assert house.access(scope, user="admin", service="second-registry") == []


def test_a_change_takes_back_what_it_sets_to_null(house: AuthService) -> None:
    registry = enter(house, token_ttl_s=300)

    changed = put(house, registry["id"], token_ttl_s=None, name="renamed").get_json()

    assert (changed["token_ttl_s"], changed["name"]) == (None, "renamed")


def test_case_140_the_first_registry_keeps_its_host_and_changes_its_name(house: AuthService) -> None:
    assert_problem(put(house, 1, hostname="elsewhere"), 422, "PORTUS_REGISTRY_HOST")
    assert put(house, 1, name="main").get_json()["name"] == "main"
    # Saying the same again is no change.
    assert put(house, 1, hostname="registry.example.org").status_code == 200


def test_case_140_a_host_stays_while_there_are_namespaces(house: AuthService) -> None:
    registry = enter(house)
    team = house.make_team(owner=house.make_user("owner"))
    body = {"name": "there", "team": team.name, "registry": "second"}
    assert house.call("POST", "/api/v1/namespaces", user="admin", json=body).status_code == 201

    assert_problem(put(house, registry["id"], hostname="elsewhere.example.org"), 422, "hostname")
    assert put(house, registry["id"], name="other").status_code == 200
    assert_problem(house.call("DELETE", f"/api/v1/registries/{registry['id']}", user="admin"), 422, "namespaces")


def test_a_registry_without_namespaces_can_be_forgotten(house: AuthService) -> None:
    registry = enter(house)

    assert house.call("DELETE", f"/api/v1/registries/{registry['id']}", user="admin").status_code == 204
    assert_problem(house.call("DELETE", "/api/v1/registries/1", user="admin"), 422, "first")


@pytest.mark.parametrize(
    "clash", [{"name": "registry"}, {"service": SERVICE}, {"hostname": "registry.example.org"}], ids=str
)
def test_names_are_taken_once(house: AuthService, clash: dict[str, str]) -> None:
    response = house.call("POST", "/api/v1/registries?force=true", user="admin", json={**NEW, **clash})

    assert_problem(response, 422, *clash, "taken")


@pytest.mark.parametrize("hostname", ["http://x", "a/b", "a b", "-a", "a:port", "a:123456", "x" * 256])
def test_a_hostname_that_is_none(house: AuthService, hostname: str) -> None:
    response = house.call("POST", "/api/v1/registries?force=true", user="admin", json={**NEW, "hostname": hostname})

    assert_problem(response, 422, "hostname")


def test_case_141_an_unreachable_host_is_said_on_hostname(house: AuthService) -> None:
    query = f"name=x&hostname=127.0.0.1:{free_port()}&use_ssl=false"

    body = house.call("GET", f"/api/v1/registries/validate?{query}", user="admin").get_json()

    assert body["valid"] is False
    assert "does not answer" in body["messages"]["hostname"][0]


def test_case_141_with_only_the_name_nobody_is_asked(house: AuthService) -> None:
    query = f"name=registry&hostname=127.0.0.1:{free_port()}&use_ssl=false&only=name"

    body = house.call("GET", f"/api/v1/registries/validate?{query}", user="admin").get_json()

    assert body == {"messages": {"name": ["has already been taken"]}, "valid": False}


def test_a_registry_that_is_entered_is_asked_who_it_is(house: AuthService) -> None:
    away = enter(house, hostname=f"127.0.0.1:{free_port()}", use_ssl=False)["id"]

    body = house.call("GET", f"/api/v1/registries/{away}/check", user="admin").get_json()

    assert body["valid"] is False
    assert "does not answer" in body["messages"]["hostname"][0]
    assert "force" not in body["messages"]["hostname"][0]
    assert_problem(house.call("GET", "/api/v1/registries/99/check", user="admin"), 404)


def test_entering_asks_the_registry_first(house: AuthService) -> None:
    body = {**NEW, "hostname": f"127.0.0.1:{free_port()}", "use_ssl": False}

    assert_problem(house.call("POST", "/api/v1/registries", user="admin", json=body), 422, "hostname", "force")


def test_every_change_is_in_the_audit_trail(house: AuthService) -> None:
    registry = enter(house)
    put(house, registry["id"], name="renamed")
    house.call("DELETE", f"/api/v1/registries/{registry['id']}", user="admin")

    with house.database.read() as connection:
        actions = connection.execute(select(audit_entries.c.action).order_by(audit_entries.c.id)).scalars()

        assert [action for action in actions if action.startswith("registry.")] == [
            "registry.created",
            "registry.updated",
            "registry.deleted",
        ]


def test_a_host_that_is_no_registry_is_told_apart(house: AuthService) -> None:
    answer = probe_registry(f"127.0.0.1:{free_port()}", False)

    assert isinstance(answer, RegistryAnswer)
    assert answer.fault
