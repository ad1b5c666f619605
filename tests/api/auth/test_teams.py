"""Teams, members and namespaces."""

from typing import Any

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.management import Switches
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from services.auth.storage.teams import TeamView
from tests.support.auth import AuthFactory, AuthService, assert_problem


@pytest.fixture
def team(auth: AuthService) -> TeamView:
    """A team of owner, contributor and viewer; somebody called other is in none."""
    auth.make_user("other")
    auth.make_user("admin", administrator=True)
    for name in ("contributor", "viewer"):
        auth.make_user(name)
    return auth.make_team("blue", owner=auth.make_user("owner"), contributor=Role.CONTRIBUTOR, viewer=Role.VIEWER)


def members(auth: AuthService, team: TeamView, user: str = "owner") -> dict[str, dict[str, Any]]:
    response = auth.call("GET", f"/api/v1/teams/{team.id}/members", user=user)
    return {member["username"]: member for member in response.get_json()}


def put_role(auth: AuthService, team: TeamView, name: str, role: str, *, user: str = "owner") -> Any:
    member_id = members(auth, team, "admin")[name]["id"]
    return auth.call("PUT", f"/api/v1/teams/{team.id}/members/{member_id}", user=user, json={"role": role})


def remove(auth: AuthService, team: TeamView, name: str, *, user: str = "owner") -> Any:
    member_id = members(auth, team, "admin")[name]["id"]
    return auth.call("DELETE", f"/api/v1/teams/{team.id}/members/{member_id}", user=user)


def add(auth: AuthService, team: TeamView, name: str, role: str = "viewer", *, user: str = "owner") -> Any:
    body = {"user": name, "role": role}
    return auth.call("POST", f"/api/v1/teams/{team.id}/members", user=user, json=body)


def test_whoever_makes_a_team_owns_it(auth: AuthService) -> None:
    auth.make_user("jane")

    response = auth.call("POST", "/api/v1/teams", user="jane", json={"name": "red", "description": "two\nlines"})

    team = response.get_json()
    assert response.status_code == 201
    assert (team["name"], team["hidden"], team["role"], team["description"]) == ("red", False, "owner", "two\nlines")


def test_an_administrator_names_the_owner(auth: AuthService, team: TeamView) -> None:
    other = auth.call("GET", "/api/v1/users/self", user="other").get_json()

    refused = auth.call("POST", "/api/v1/teams", user="owner", json={"name": "red", "owner_id": other["id"]})
    done = auth.call("POST", "/api/v1/teams", user="admin", json={"name": "red", "owner_id": other["id"]})
    unknown = auth.call("POST", "/api/v1/teams", user="admin", json={"name": "green", "owner_id": 99999})

    assert_problem(refused, 403)
    assert done.status_code == 201
    assert auth.call("GET", f"/api/v1/teams/{done.get_json()['id']}", user="other").get_json()["role"] == "owner"
    assert_problem(unknown, 404)


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", "blue", "viewer", "portus_global_team"])
def test_names_that_cannot_be_are_refused(auth: AuthService, team: TeamView, name: str) -> None:
    assert_problem(auth.call("POST", "/api/v1/teams", user="other", json={"name": name}), 422, "name")


def test_people_list_their_teams_and_administrators_all(auth: AuthService, team: TeamView) -> None:
    auth.call("POST", "/api/v1/teams", user="other", json={"name": "red"})

    listed = {
        user: [one["name"] for one in auth.call("GET", "/api/v1/teams", user=user).get_json()]
        for user in ("viewer", "other", "admin")
    }

    assert listed == {"viewer": ["blue"], "other": ["red"], "admin": ["blue", "red"]}


@pytest.mark.parametrize("user", ["viewer", "admin"])
def test_hidden_teams_stay_hidden(auth: AuthService, team: TeamView, user: str) -> None:
    for team_id in range(1, team.id):
        assert_problem(auth.call("GET", f"/api/v1/teams/{team_id}", user=user), 404)
        assert_problem(add(auth, TeamView(**{**_fields(team), "id": team_id}), "other", user=user), 404)


def _fields(team: TeamView) -> dict[str, Any]:
    return {name: getattr(team, name) for name in TeamView.__slots__}


def test_members_are_shown_without_their_addresses(auth: AuthService, team: TeamView) -> None:
    shown = members(auth, team, "viewer")

    assert {name: member["role"] for name, member in shown.items()} == {
        "owner": "owner",
        "contributor": "contributor",
        "viewer": "viewer",
    }
    assert "example.org" not in str(shown)


def test_disabled_members_are_not_shown(auth: AuthService, team: TeamView) -> None:
    viewer = members(auth, team)["viewer"]["user_id"]

    auth.call("PUT", f"/api/v1/users/{viewer}", user="admin", json={"enabled": False})

    assert set(members(auth, team)) == {"owner", "contributor"}


def test_an_administrator_joins_as_owner_and_stays_one(auth: AuthService, team: TeamView) -> None:
    assert add(auth, team, "admin", "viewer").get_json()["role"] == "owner"

    assert_problem(put_role(auth, team, "admin", "viewer"), 422, "administrator")


def test_nobody_joins_twice(auth: AuthService, team: TeamView) -> None:
    assert_problem(add(auth, team, "VIEWER"), 422, "already a member")


def test_somebody_unknown_cannot_join(auth: AuthService, team: TeamView) -> None:
    assert_problem(add(auth, team, "nobody"), 404)


def test_a_role_that_does_not_exist_is_refused(auth: AuthService, team: TeamView) -> None:
    assert_problem(add(auth, team, "other", "king"), 422, "role")
    assert_problem(put_role(auth, team, "viewer", "king"), 422, "role")


def test_the_only_owner_stays(auth: AuthService, team: TeamView) -> None:
    assert_problem(put_role(auth, team, "owner", "viewer"), 422, "only owner")
    assert_problem(remove(auth, team, "owner"), 422, "only owner")

    assert put_role(auth, team, "viewer", "owner").status_code == 200

    assert remove(auth, team, "owner", user="viewer").status_code == 204


def test_a_disabled_owner_is_no_owner_to_be_left_with(auth: AuthService, team: TeamView) -> None:
    put_role(auth, team, "viewer", "owner")
    viewer = members(auth, team)["viewer"]["user_id"]
    auth.call("PUT", f"/api/v1/users/{viewer}", user="admin", json={"enabled": False})

    assert_problem(remove(auth, team, "owner"), 422, "only owner")


def test_a_member_of_another_team_is_not_found(auth: AuthService, team: TeamView) -> None:
    other = auth.call("POST", "/api/v1/teams", user="other", json={"name": "red"}).get_json()
    member_id = members(auth, team)["viewer"]["id"]

    response = auth.call("DELETE", f"/api/v1/teams/{other['id']}/members/{member_id}", user="other")

    assert_problem(response, 404)
    assert "viewer" in members(auth, team)


def post_namespace(auth: AuthService, user: str, **body: Any) -> Any:
    return auth.call("POST", "/api/v1/namespaces", user=user, json={"name": "ns", "team": "blue", **body})


def test_a_new_namespace_is_private(auth: AuthService, team: TeamView) -> None:
    response = post_namespace(auth, "contributor", description="ours")

    namespace = response.get_json()
    assert response.status_code == 201
    assert (namespace["name"], namespace["visibility"], namespace["global"]) == ("ns", "private", False)
    assert namespace["team"] == {"id": team.id, "name": "blue", "hidden": False}


def test_whoever_cannot_push_cannot_make_a_namespace(make_auth: AuthFactory, team: TeamView) -> None:
    auth = make_auth(policy=Policy(push=PushPolicy.ALLOW_PERSONAL))

    assert_problem(post_namespace(auth, "owner"), 403)
    assert post_namespace(auth, "admin").status_code == 201


@pytest.mark.parametrize("name", ["", "A", "a/b", "a\\b", "portus_global_namespace/", "x" * 256])
def test_a_namespace_name_outside_the_grammar_is_refused(auth: AuthService, team: TeamView, name: str) -> None:
    assert_problem(post_namespace(auth, "owner", name=name), 422, "name")


@pytest.mark.parametrize("name", ["a__b", "a---b", "a.b"])
def test_every_name_of_the_grammar_is_accepted(auth: AuthService, team: TeamView, name: str) -> None:
    assert post_namespace(auth, "owner", name=name).status_code == 201


def test_a_taken_name_is_refused(auth: AuthService, team: TeamView) -> None:
    assert_problem(post_namespace(auth, "owner", name="viewer"), 422, "has already been taken")


@pytest.mark.parametrize("name", ["nobody's", "viewer", "portus_global_team"])
def test_a_team_that_nobody_may_know_is_not_found(auth: AuthService, team: TeamView, name: str) -> None:
    assert_problem(post_namespace(auth, "admin", team=name), 404)


@pytest.mark.parametrize("name", ["nobody's", "viewer", "portus_global_team"])
def test_a_stranger_cannot_tell_a_team_from_none(auth: AuthService, team: TeamView, name: str) -> None:
    foreign = assert_problem(post_namespace(auth, "other"), 403)

    missing = assert_problem(post_namespace(auth, "other", team=name), 403)

    assert missing["detail"] == foreign["detail"]


def test_a_team_tells_who_and_what_is_in_it_and_what_the_caller_may(make_auth: AuthFactory, team: TeamView) -> None:
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS))
    auth.make_namespace("first", team=team)
    auth.make_namespace("second", team=team)
    viewer = members(auth, team)["viewer"]["user_id"]
    auth.call("PUT", f"/api/v1/users/{viewer}", user="admin", json={"enabled": False})

    (owners,) = auth.call("GET", "/api/v1/teams", user="owner").get_json()
    (contributors,) = auth.call("GET", "/api/v1/teams", user="contributor").get_json()

    assert (owners["users_count"], owners["namespaces_count"]) == (2, 2)
    assert (owners["role"], owners["updatable"], owners["destroyable"]) == ("owner", True, True)
    assert (contributors["role"], contributors["updatable"], contributors["destroyable"]) == (
        "contributor",
        False,
        False,
    )


def test_a_namespace_tells_what_the_caller_may(make_auth: AuthFactory, team: TeamView) -> None:
    auth = make_auth(policy=Policy(delete=DeletePolicy.CONTRIBUTORS))
    path = f"/api/v1/namespaces/{auth.make_namespace(team=team, visibility=Visibility.PUBLIC).id}"

    def rights(user: str) -> tuple[Any, ...]:
        shown = auth.call("GET", path, user=user).get_json()
        return (*shown["permissions"].values(), shown["updatable"], shown["destroyable"], shown["orphan"])

    # role, pull, push, webhooks, visibility; updatable, destroyable; orphan
    assert rights("owner") == ("owner", True, True, True, True, True, True, False)
    assert rights("contributor") == ("contributor", True, True, True, False, False, True, False)
    assert rights("viewer") == ("viewer", True, False, True, False, False, False, False)
    assert rights("other") == (None, True, False, False, False, False, False, False)
    assert rights("admin") == (None, True, True, True, True, True, True, False)


def test_a_personal_namespace_cannot_be_deleted_by_itself(make_auth: AuthFactory, team: TeamView) -> None:
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS))

    (own,) = auth.call("GET", "/api/v1/namespaces?name=owner", user="owner").get_json()

    assert (own["updatable"], own["destroyable"]) == (True, False)


@pytest.mark.parametrize(
    ("switch", "method", "path", "body"),
    [
        ("create_team", "POST", "/teams", {"name": "red"}),
        ("create_namespace", "POST", "/namespaces", {"name": "ns", "team": "blue"}),
        ("manage_namespace", "PUT", "/namespaces/{namespace}", {"description": "new"}),
        ("change_visibility", "PUT", "/namespaces/{namespace}", {"visibility": "public"}),
    ],
)
def test_a_switch_leaves_something_to_administrators(
    make_auth: AuthFactory, team: TeamView, switch: str, method: str, path: str, body: dict[str, Any]
) -> None:
    auth = make_auth(switches=Switches(**{switch: False}))
    target = f"/api/v1{path}".format(namespace=auth.make_namespace(team=team).id)

    refused = auth.call(method, target, user="owner", json=body)

    assert_problem(refused, 403, f"PORTUS_USER_PERMISSION_{switch.upper()}_ENABLED")
    assert auth.call(method, target, user="admin", json=body).status_code in (200, 201)


@pytest.mark.parametrize("wrapped", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("visibility", Visibility)
def test_an_owner_changes_the_visibility(
    auth: AuthService, team: TeamView, visibility: Visibility, wrapped: bool
) -> None:
    namespace = auth.make_namespace(team=team)
    body = {"visibility": visibility.value, "description": "new"}

    path = f"/api/v1/namespaces/{namespace.id}"
    response = auth.call("PUT", path, user="owner", json={"namespace": body} if wrapped else body)

    assert response.status_code == 200
    assert auth.call("GET", path, user="viewer").get_json()["visibility"] == visibility
    assert auth.call("GET", path, user="viewer").get_json()["description"] == "new"


@pytest.mark.parametrize(
    ("body", "status"),
    [({"visibility": "secret"}, 422), ({"name": "other"}, 422), ({"visibility": None}, 422), ("x", 400)],
)
def test_a_change_that_cannot_be_is_refused(auth: AuthService, team: TeamView, body: Any, status: int) -> None:
    namespace = auth.make_namespace(team=team)

    assert_problem(auth.call("PUT", f"/api/v1/namespaces/{namespace.id}", user="owner", json=body), status)


def test_the_global_namespace_is_shown_by_the_registry_and_kept_by_administrators(
    auth: AuthService, team: TeamView
) -> None:
    path = f"/api/v1/namespaces/{auth.global_namespace_id}"

    shown = auth.call("GET", path, user="other").get_json()

    assert (shown["name"], shown["global"], shown["visibility"]) == ("registry.example.org", True, "public")
    assert_problem(auth.call("PUT", path, user="owner", json={"visibility": "protected"}), 403)
    assert_problem(auth.call("PUT", path, user="admin", json={"visibility": "private"}), 422, "visibility")
    assert auth.call("PUT", path, user="admin", json={"visibility": "protected"}).status_code == 200


def test_a_namespace_list_shows_what_may_be_pulled(auth: AuthService, team: TeamView) -> None:
    for visibility in Visibility:
        auth.make_namespace(visibility.value, team=team, visibility=visibility)

    def listed(user: str) -> set[str]:
        response = auth.call("GET", "/api/v1/namespaces?per_page=100", user=user)
        return {namespace["name"] for namespace in response.get_json()}

    assert listed("other") == {"registry.example.org", "other", "public", "protected"}
    assert listed("viewer") == {"registry.example.org", "viewer", "public", "protected", "private"}
    assert listed("admin") >= {"registry.example.org", "viewer", "other", "private"}
