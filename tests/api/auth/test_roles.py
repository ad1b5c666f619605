"""Custom roles, and the built-in ones beside them."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.domain import roles as limits
from services.auth.storage.roles import ROLES
from services.auth.usecases import roles as usecases
from tests.support.auth import AuthService, assert_problem, audit_entries_of

PATH = "/api/v1/roles"


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    auth.make_user("jane")
    auth.make_user("admin", administrator=True)
    return auth


def post(auth: AuthService, user: str = "admin", **body: Any) -> TestResponse:
    return auth.call("POST", PATH, user=user, json={"name": "deployer", "actions": ["push"], **body})


def make(auth: AuthService, **body: Any) -> dict[str, Any]:
    response = post(auth, **body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    return made


def put(auth: AuthService, role: dict[str, Any], **body: Any) -> TestResponse:
    return auth.call("PUT", f"{PATH}/{role['id']}", user="admin", json=body)


def give(auth: AuthService, pattern: str, role: str = "deployer") -> None:
    body = {"user": "jane", "pattern": pattern, "role": role}
    assert auth.call("POST", "/api/v1/grants", user="admin", json=body).status_code == 201


def test_everybody_sees_the_built_in_roles_first(world: AuthService) -> None:
    make(world, name="another")

    roles = world.call("GET", PATH, user="jane").get_json()

    assert [(role["name"], role["actions"], role["built_in"]) for role in roles] == [
        ("viewer", ["pull"], True),
        ("contributor", ["pull", "push"], True),
        ("owner", ["delete", "pull", "push"], True),
        ("another", ["push"], False),
    ]
    assert [role["id"] is None for role in roles] == [True, True, True, False]


def test_only_administrators_make_change_and_delete_roles(world: AuthService) -> None:
    role = make(world)

    assert_problem(post(world, "jane", name="x"), 403)
    for method in ("PUT", "DELETE"):
        assert_problem(world.call(method, f"{PATH}/{role['id']}", user="jane", json={}), 403)
    assert world.call("GET", f"{PATH}/{role['id']}", user="jane").get_json() == role


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Viewer"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "deployer"}, "name"),
        ({"actions": []}, "actions"),
        ({"actions": ["admin"]}, "actions"),
        ({"description": "x" * 10_001}, "description"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_will_not_do(world: AuthService, body: dict[str, Any], field: str) -> None:
    make(world)

    assert_problem(post(world, **{"name": "x", **body}), 422, field)


def test_a_name_is_taken_from_nobody_by_renaming(world: AuthService) -> None:
    make(world)
    other = make(world, name="other")

    assert_problem(put(world, other, name="deployer"), 422, "already been taken")
    assert_problem(put(world, other, name="owner"), 422, "built-in")
    assert put(world, other, name="other", description="the same").status_code == 200


def test_a_changed_role_says_how_many_grants_it_changes(world: AuthService) -> None:
    role = make(world)
    for pattern in ("a/*", "b/*"):
        give(world, pattern)

    changed = put(world, role, actions=["pull", "push"]).get_json()
    put(world, role, description="For releases.")

    assert (changed["actions"], changed["grants_count"]) == (["pull", "push"], 2)
    _, widened, described = audit_entries_of(world, "role")
    assert (widened["before"], widened["after"]) == ({"actions": ["push"]}, {"actions": ["pull", "push"], "grants": 2})
    assert described["after"] == {"description": "For releases."}


def test_a_role_in_use_is_deleted_with_its_grants_or_not_at_all(world: AuthService) -> None:
    role = make(world)
    for pattern in ("a/*", "b/*"):
        give(world, pattern)

    assert_problem(world.call("DELETE", f"{PATH}/{role['id']}", user="admin"), 422, "2 grants carry it", "force=true")
    gone = world.call("DELETE", f"{PATH}/{role['id']}?force=true", user="admin")

    assert gone.status_code == 204
    assert world.call("GET", "/api/v1/grants", user="admin").get_json() == []
    revoked = [
        entry["target"]["name"] for entry in audit_entries_of(world, "grant") if entry["action"] == "grant.revoked"
    ]
    assert revoked == ["a/*", "b/*"]
    assert audit_entries_of(world, "role")[-1]["action"] == "role.deleted"


def test_an_unused_role_is_deleted(world: AuthService) -> None:
    role = make(world)

    assert world.call("DELETE", f"{PATH}/{role['id']}", user="admin").status_code == 204
    assert_problem(world.call("GET", f"{PATH}/{role['id']}", user="admin"), 404)


def test_there_are_limits(world: AuthService, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.MAX_ROLES == 200
    monkeypatch.setattr(usecases, "MAX_ROLES", 1)
    monkeypatch.setattr(usecases, "MAX_REVOKED_WITH_ROLE", 1)
    role = make(world)
    for pattern in ("a/*", "b/*"):
        give(world, pattern)

    assert_problem(post(world, name="more"), 422, "no more are possible")
    assert_problem(world.call("DELETE", f"{PATH}/{role['id']}?force=true", user="admin"), 422, "more than 1 grants")


@pytest.mark.parametrize("name", ROLES.columns)
def test_every_documented_column_sorts(world: AuthService, name: str) -> None:
    make(world, description="d")

    def names(order: str) -> list[str]:
        query = {"sort_attr": name, "sort_order": order}
        return [role["name"] for role in world.call("GET", PATH, user="jane", query_string=query).get_json()]

    assert len(names("asc")) == 4
    assert names("asc") == names("desc")[::-1]
