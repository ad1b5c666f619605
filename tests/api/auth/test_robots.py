"""Robot accounts: made by owners for their own, kept at home, rotated with two secrets."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.auth.domain import robots as limits
from services.auth.domain.decisions import Policy, PushPolicy
from services.auth.domain.secrets import SecretKind, kind_of
from services.auth.domain.teams import Role
from services.auth.storage.namespaces import NamespaceView
from services.auth.storage.robots import ROBOTS
from services.auth.storage.tables import audit_entries, outbox, robot_secrets
from tests.support.auth import AuthFactory, AuthService, assert_problem, audit_entries_of

PATH = "/api/v1/robots"
ALL = ({"actions": ["pull", "push"]},)


@pytest.fixture
def team_a(auth: AuthService) -> NamespaceView:
    return populate(auth)


def populate(auth: AuthService) -> NamespaceView:
    """The team red with namespaces team-a and team-b; other owns the team blue; an administrator."""
    auth.make_user("admin", administrator=True)
    auth.make_user("contributor")
    auth.make_team("blue", owner=auth.make_user("other"))
    red = auth.make_team("red", owner=auth.make_user("owner"), contributor=Role.CONTRIBUTOR)
    auth.make_namespace("team-b", team=red)
    return auth.make_namespace("team-a", team=red)


def post(auth: AuthService, maker: str = "owner", /, **body: Any) -> TestResponse:
    return auth.call("POST", PATH, user=maker, json={"name": "ci", **body})


def make(auth: AuthService, maker: str = "owner", /, **body: Any) -> dict[str, Any]:
    response = post(auth, maker, **body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    return made


def put(auth: AuthService, robot: dict[str, Any], changer: str = "owner", /, **body: Any) -> TestResponse:
    return auth.call("PUT", f"{PATH}/{robot['id']}", user=changer, json=body)


def rotate(auth: AuthService, robot: dict[str, Any], changer: str = "owner", /, **body: Any) -> TestResponse:
    return auth.call("POST", f"{PATH}/{robot['id']}/secrets", user=changer, json=body)


def show(auth: AuthService, robot: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = auth.call("GET", f"{PATH}/{robot['id']}", user="owner").get_json()
    return shown


def listed(auth: AuthService, reader: str = "owner", /, **query: Any) -> list[str]:
    rows = auth.call("GET", PATH, user=reader, query_string=query).get_json()
    return [robot["username"] for robot in rows]


def login(auth: AuthService, robot: dict[str, Any], secret: str | None = None, **options: Any) -> int:
    password = robot["secret"] if secret is None else secret
    return auth.get_token(user=robot["username"], password=password, **options).status_code


def can(auth: AuthService, robot: dict[str, Any], *repositories: str) -> list[str]:
    """Return what it may do, by repository; asked one by one, because a refusal refuses the whole request."""
    actions = ("delete", "pull", "push")
    found = {name: [action for action in actions if may(auth, robot, name, action)] for name in repositories}
    return [f"repository:{name}:{','.join(held)}" for name, held in sorted(found.items()) if held]


def may(auth: AuthService, robot: dict[str, Any], repository: str, action: str) -> bool:
    scope = f"repository:{repository}:{action}"
    return bool(auth.access(scope, user=robot["username"], password=robot["secret"]))


def test_a_namespace_s_robot_is_made_by_its_owner_and_stays_in_it(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id, permissions=ALL)

    assert robot["username"] == "robot+team-a/ci"
    assert kind_of(robot["secret"]) is SecretKind.ROBOT
    assert (robot["namespace"], robot["team"]) == ({"id": team_a.id, "name": "team-a"}, None)
    assert [(one["pattern"], one["actions"]) for one in robot["permissions"]] == [("team-a/*", ["pull", "push"])]
    assert can(auth, robot, "team-a/app", "team-b/app") == ["repository:team-a/app:pull,push"]


def test_a_team_s_robot_works_by_pattern_in_its_namespaces_and_in_those_to_come(
    auth: AuthService, team_a: NamespaceView
) -> None:
    robot = make(auth, team="red", permissions=[{"pattern": "team-*", "actions": ["push"]}])
    blue = {"name": "team-blue", "team": "blue"}
    auth.call("POST", "/api/v1/namespaces", user="other", json=blue)
    auth.call("POST", "/api/v1/namespaces", user="owner", json={"name": "team-new", "team": "red"})

    granted = can(auth, robot, "team-a/app", "team-blue/app", "team-new/app", "owner/app")

    assert robot["username"] == "robot+@red/ci"
    assert granted == ["repository:team-a/app:push", "repository:team-new/app:push"]


def test_the_installation_s_robot_is_the_administrators(auth: AuthService, team_a: NamespaceView) -> None:
    assert_problem(post(auth), 403, "administrators")

    robot = make(auth, "admin", permissions=[{"pattern": "*", "actions": ["pull"]}])

    assert robot["username"] == "robot+ci"
    assert can(auth, robot, "team-a/app", "other/app") == ["repository:other/app:pull", "repository:team-a/app:pull"]


def test_a_robot_may_nothing_that_it_was_not_given(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)

    assert robot["permissions"] == []
    assert can(auth, robot, "team-a/app") == []
    assert login(auth, robot) == 200


@pytest.mark.parametrize("maker", ["contributor", "other"])
def test_nobody_else_makes_robots_there(auth: AuthService, team_a: NamespaceView, maker: str) -> None:
    expected = {"contributor": 403, "other": 404}[maker]

    assert_problem(post(auth, maker, namespace_id=team_a.id), expected)
    assert_problem(post(auth, maker, team="red"), expected)


def test_those_who_do_not_manage_a_robot_learn_nothing_of_it(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)

    for user in ("contributor", "other"):
        assert listed(auth, user) == []
        for target in (robot["id"], 99_999):
            assert_problem(auth.call("GET", f"{PATH}/{target}", user=user), 404)
            assert_problem(auth.call("PUT", f"{PATH}/{target}", user=user, json={"enabled": False}), 404)
            assert_problem(auth.call("DELETE", f"{PATH}/{target}", user=user), 404)
            assert_problem(auth.call("POST", f"{PATH}/{target}/secrets", user=user, json={}), 404)
    assert listed(auth) == listed(auth, "admin") == ["robot+team-a/ci"]


def test_one_s_own_namespace_may_have_robots(auth: AuthService, team_a: NamespaceView) -> None:
    own = auth.call("GET", "/api/v1/users/self", user="other").get_json()["namespace"]["id"]

    robot = make(auth, "other", namespace_id=own, permissions=ALL)

    assert listed(auth, "other") == ["robot+other/ci"]
    assert can(auth, robot, "other/app") == ["repository:other/app:pull,push"]


def test_an_auditor_sees_robots_and_changes_none(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)
    auth.make_user("auditor", auditor=True)

    assert listed(auth, "auditor") == ["robot+team-a/ci"]
    assert_problem(put(auth, robot, "auditor", enabled=False), 403)
    assert_problem(rotate(auth, robot, "auditor"), 403)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"name": "CI"}, "name", id="upper case"),
        pytest.param({"name": "x" * 65}, "name", id="a long name"),
        pytest.param({"name": "a/b"}, "name", id="a slash"),
        pytest.param({"team": "red"}, "team", id="two homes"),
        pytest.param({"allowed_addresses": []}, "allowed_addresses", id="no address"),
        pytest.param({"allowed_addresses": ["x"]}, "allowed_addresses", id="no network"),
        pytest.param({"allowed_addresses": ["10.0.0.1"] * 51}, "allowed_addresses", id="many addresses"),
        pytest.param({"permissions": [{"actions": ["pull"], "pattern": "team-b/*"}]}, "permissions", id="elsewhere"),
        pytest.param({"permissions": [{"actions": ["pull"], "pattern": "*"}]}, "permissions", id="everywhere"),
        pytest.param({"permissions": [{"role": "nothing"}]}, "permissions", id="no role"),
        pytest.param({"permissions": [{}]}, "permissions", id="nothing given"),
        pytest.param({"permissions": [{"actions": ["pull"]}] * 2}, "permissions", id="the same twice"),
        pytest.param({"permissions": [{"actions": ["pull"]}] * 51}, "permissions", id="many"),
        pytest.param({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at", id="the past"),
        pytest.param({"description": "x" * 10_001}, "description", id="a long description"),
    ],
)
def test_what_will_not_do(auth: AuthService, team_a: NamespaceView, body: dict[str, Any], field: str) -> None:
    response = post(auth, **{"namespace_id": team_a.id, **body})

    assert field in assert_problem(response, 422)["errors"]
    assert listed(auth) == []


def test_names_are_taken_at_home_only(auth: AuthService, team_a: NamespaceView) -> None:
    make(auth, namespace_id=team_a.id)
    make(auth, team="red")

    assert_problem(post(auth, namespace_id=team_a.id), 422, "already been taken")
    assert_problem(post(auth, team="red"), 422, "already been taken")


def test_teams_that_are_called_alike_have_robots_that_are_not(auth: AuthService, team_a: NamespaceView) -> None:
    for name in ("The Crew", "the-crew"):
        auth.call("POST", "/api/v1/teams", user="owner", json={"name": name})

    first, second = (make(auth, team=name) for name in ("The Crew", "the-crew"))

    assert first["username"] == "robot+@the-crew/ci"
    assert second["username"] == f"robot+@the-crew-{second['team']['id']}/ci"


def test_a_username_is_no_longer_than_a_person_s(auth: AuthService, team_a: NamespaceView) -> None:
    long = "n" * 200
    namespace = auth.call("POST", "/api/v1/namespaces", user="owner", json={"name": long, "team": "red"}).get_json()

    robot = make(auth, name="r" * 64, namespace_id=namespace["id"], permissions=ALL)

    assert len(robot["username"]) <= 128
    assert can(auth, robot, f"{long}/a") == [f"repository:{long}/a:pull,push"]


@pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("10.2.0.1", 401)])
def test_a_robot_is_used_from_its_addresses_only(
    auth: AuthService, team_a: NamespaceView, address: str, status: int
) -> None:
    robot = make(auth, namespace_id=team_a.id, allowed_addresses=["10.1.7.7/16", "2001:db8::1"])

    assert robot["allowed_addresses"] == ["10.1.0.0/16", "2001:db8::1/128"]
    assert login(auth, robot, environ_base={"REMOTE_ADDR": address}) == status
    put(auth, robot, allowed_addresses=None)
    assert login(auth, robot, environ_base={"REMOTE_ADDR": address}) == 200


def test_a_robot_is_disabled_enabled_and_deleted_at_once(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id, permissions=ALL)

    assert put(auth, robot, enabled=False).get_json()["enabled"] is False
    assert login(auth, robot) == 401
    put(auth, robot, enabled=True)
    assert login(auth, robot) == 200
    assert auth.call("DELETE", f"{PATH}/{robot['id']}", user="owner").status_code == 204
    assert login(auth, robot) == 401
    assert auth.call("GET", "/api/v1/grants", user="owner").get_json() == []


def test_a_robot_ends_when_it_was_said_to(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id, ttl_s=60)
    auth.clock.advance(seconds=60)

    assert login(auth, robot) == 401
    assert show(auth, robot)["expired"] is True
    assert put(auth, robot, expires_at=None).get_json()["expired"] is False
    assert login(auth, robot) == 200


def test_permissions_are_replaced_and_what_stays_is_left_alone(auth: AuthService, team_a: NamespaceView) -> None:
    first, second = {"pattern": "team-a/app-*", "actions": ["push"]}, {"pattern": "team-a/lib", "actions": ["pull"]}
    robot = make(auth, namespace_id=team_a.id, permissions=[first, second])
    kept = robot["permissions"][1]["grant_id"]

    changed = put(auth, robot, permissions=[second, {"pattern": "team-a/app-*", "actions": ["pull"]}]).get_json()

    shown = {one["pattern"]: (one["grant_id"], one["actions"]) for one in changed["permissions"]}
    assert shown["team-a/lib"] == (kept, ["pull"])
    assert shown["team-a/app-*"][1] == ["pull"]
    assert put(auth, robot, description="builds").get_json()["permissions"] == changed["permissions"]
    assert put(auth, robot, permissions=[]).get_json()["permissions"] == []


def test_what_others_granted_an_installation_s_robot_is_not_replaced(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, "admin", permissions=[{"pattern": "other/*", "actions": ["pull"]}])
    body = {"robot": robot["username"], "actions": ["push"]}
    given = auth.call("POST", f"/api/v1/namespaces/{team_a.id}/grants", user="owner", json=body)
    assert given.status_code == 201

    left = put(auth, robot, "admin", permissions=[]).get_json()["permissions"]

    assert [one["grant_id"] for one in left] == [given.get_json()["id"]]
    assert can(auth, robot, "team-a/app") == ["repository:team-a/app:push"]


def test_nobody_grants_to_a_robot_what_would_be_of_no_use_to_it(auth: AuthService, team_a: NamespaceView) -> None:
    foreign = make(auth, "other", team="blue")

    answers = [
        auth.call(
            "POST", f"/api/v1/namespaces/{team_a.id}/grants", user="owner", json={"robot": name, "actions": ["pull"]}
        )
        for name in (foreign["username"], "robot+nobody")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({answer.get_json()["detail"] for answer in answers}) == 1


def test_owners_robots_push_where_owners_may_let_others_push(make_auth: AuthFactory) -> None:
    auth = make_auth(policy=Policy(PushPolicy.ADMIN_ONLY))
    team_a = populate(auth)
    of_owner = make(auth, namespace_id=team_a.id, permissions=ALL)
    of_admin = make(auth, "admin", name="release", namespace_id=team_a.id, permissions=ALL)

    assert can(auth, of_owner, "team-a/app") == ["repository:team-a/app:pull"]
    assert can(auth, of_admin, "team-a/app") == ["repository:team-a/app:pull,push"]


def test_two_secrets_work_at_the_same_time_and_no_third(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)

    second = rotate(auth, robot)

    assert second.status_code == 201
    assert login(auth, robot) == login(auth, robot, second.get_json()["secret"]) == 200
    assert_problem(rotate(auth, robot), 422, "revoke the one")
    (old, _) = show(auth, robot)["secrets"]
    path = f"{PATH}/{robot['id']}/secrets/{old['id']}"
    assert auth.call("DELETE", path, user="owner").status_code == 204
    assert (login(auth, robot), login(auth, robot, second.get_json()["secret"])) == (401, 200)
    assert_problem(auth.call("GET", path, user="owner"), 404)


def test_the_old_secret_ends_when_the_rotation_says_so(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)

    second = rotate(auth, robot, expire_old_in_s=3600, ttl_s=86400).get_json()

    assert second["expires_at"] == (auth.clock() + timedelta(days=1)).isoformat()
    assert show(auth, robot)["secret_expires_at"] == (auth.clock() + timedelta(hours=1)).isoformat()
    assert login(auth, robot) == 200
    auth.clock.advance(hours=1)
    assert (login(auth, robot), login(auth, robot, second["secret"])) == (401, 200)
    # What has ended makes room.
    assert rotate(auth, robot).status_code == 201
    assert len(show(auth, robot)["secrets"]) == 2


def test_a_rotation_never_lets_an_old_secret_live_longer(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)
    rotate(auth, robot, expire_old_in_s=0, ttl_s=60)

    rotate(auth, robot, expire_old_in_s=3600)

    assert show(auth, robot)["secret_expires_at"] == (auth.clock() + timedelta(seconds=60)).isoformat()


def test_an_old_secret_can_end_at_once(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)

    second = rotate(auth, robot, expire_old_in_s=0).get_json()

    assert (login(auth, robot), login(auth, robot, second["secret"])) == (401, 200)
    assert [one["id"] for one in show(auth, robot)["secrets"]] == [second["id"]]


def test_those_that_end_soon_are_found(auth: AuthService, team_a: NamespaceView) -> None:
    soon = make(auth, name="soon", namespace_id=team_a.id, ttl_s=86400)
    late = make(auth, name="late", namespace_id=team_a.id)
    rotate(auth, late, expire_old_in_s=3600)
    until = (auth.clock() + timedelta(days=14)).isoformat()

    assert listed(auth, expires_at_until=until) == [soon["username"]]
    assert listed(auth, secret_expires_at_until=until) == [late["username"]]
    assert listed(auth, namespace="team-a", enabled="true", q="SOON") == [soon["username"]]


@pytest.mark.parametrize("name", ROBOTS.columns)
def test_every_documented_column_sorts(auth: AuthService, team_a: NamespaceView, name: str) -> None:
    make(auth, namespace_id=team_a.id, ttl_s=60)
    make(auth, team="red")
    make(auth, "admin")

    forth, back = (listed(auth, "admin", sort_attr=name, sort_order=order) for order in ("asc", "desc"))

    assert len(forth) == 3
    assert forth == back[::-1]


def test_secrets_are_kept_out_of_the_database_and_of_caches(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, namespace_id=team_a.id)
    second = rotate(auth, robot)

    with auth.database.read() as connection:
        kept = str([*connection.execute(select(robot_secrets)), *connection.execute(select(audit_entries))])
    assert robot["secret"] not in kept
    assert second.get_json()["secret"] not in kept
    assert second.headers["Cache-Control"] == "no-store"
    assert "portus_rb_" not in auth.call("GET", f"{PATH}/{robot['id']}", user="owner").text


def test_everything_is_in_the_audit_trail_and_told_to_the_others(auth: AuthService, team_a: NamespaceView) -> None:
    robot = make(auth, team="red", permissions=[{"pattern": "*", "actions": ["pull"]}])
    put(auth, robot, enabled=False)
    secret = rotate(auth, robot, ttl_s=60).get_json()
    auth.call("DELETE", f"{PATH}/{robot['id']}/secrets/{secret['id']}", user="owner")
    auth.call("DELETE", f"{PATH}/{robot['id']}", user="owner")

    entries = audit_entries_of(auth, "robot")
    actions = ["created", "updated", "secret_added", "secret_revoked", "deleted"]
    assert [entry["action"] for entry in entries] == [f"robot.{action}" for action in actions]
    assert {entry["team"]["name"] for entry in entries} == {"red"}
    assert (entries[1]["before"], entries[1]["after"]) == ({"enabled": True}, {"enabled": False})
    with auth.database.read() as connection:
        told = [row.envelope["type"] for row in connection.execute(select(outbox).order_by(outbox.c.sequence))]
    sent = [
        kind.removeprefix("auth.").removesuffix(".v1") for kind in told if kind.startswith(("auth.robot", "auth.grant"))
    ]
    assert sent == [
        *("robot.created", "grant.created", "robot.changed", "robot.changed", "robot.changed"),
        *("grant.revoked", "robot.deleted"),
    ]


def test_there_are_limits(auth: AuthService, team_a: NamespaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (limits.MAX_ROBOTS_AT_HOME, limits.MAX_ROBOTS_OF_INSTALLATION) == (100, 1000)
    monkeypatch.setattr(limits, "MAX_ROBOTS_AT_HOME", 1)
    monkeypatch.setattr(limits, "MAX_ROBOTS_OF_INSTALLATION", 1)

    for maker, home in (("owner", {"namespace_id": team_a.id}), ("owner", {"team": "red"}), ("admin", {})):
        make(auth, maker, **home)
        assert_problem(post(auth, maker, name="more", **home), 422, "no more are possible")
