"""Every token request leaves a record; who may read which, and what it tells them."""

from datetime import timedelta
from typing import Any

import pytest

from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from tests.support.auth import PASSWORD, SERVICE, SERVICE_ACCOUNT_SECRET, AuthFactory, AuthService, basic
from tests.support.machines import make_grant, make_robot, make_token


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    """A private namespace with an owner and a viewer; a stranger, an auditor and an administrator."""
    auth = make_auth()
    people = {name: auth.make_user(name) for name in ("owner", "viewer", "stranger", "auditor")}
    auth.make_user("admin", administrator=True)
    with auth.database.write() as connection:
        connection.exec_driver_sql("UPDATE users SET auditor = true WHERE username = 'auditor'")
    auth.make_namespace("team-a", team=auth.make_team("platform", owner=people["owner"], viewer=Role.VIEWER))
    return auth


def ask(auth: AuthService, *scopes: str, user: str | None = "viewer", **options: Any) -> None:
    auth.get_token(*scopes, user=user, **options)
    auth.write_notes()
    auth.clock.advance(seconds=1)


def records(auth: AuthService, *, user: str = "admin", **query: Any) -> list[dict[str, Any]]:
    response = auth.call("GET", "/api/v1/decisions", user=user, query_string=query)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: list[dict[str, Any]] = response.get_json()
    return found


def only_record(auth: AuthService, *, user: str = "admin", **query: Any) -> dict[str, Any]:
    (record,) = records(auth, user=user, **query)
    return record


def test_a_record_says_who_asked_what_from_where_and_why_not(auth: AuthService) -> None:
    response = auth.client.get(
        "/v2/token",
        query_string=[
            ("service", SERVICE), ("scope", "repository:team-a/web:pull,push"), ("client_id", "docker"),
            ("account", "somebody"),
        ],
        headers={**basic("viewer"), "User-Agent": "docker/20.10"},
        environ_base={"REMOTE_ADDR": "192.0.2.9"},
    )  # fmt: skip
    assert response.status_code
    auth.write_notes()

    record = only_record(auth)

    assert record["subject"] == {"kind": "person", "username": "viewer", "user_id": 2, "robot_id": None}
    assert record["credential"] == {"kind": "password", "id": None, "name": ""}
    assert (record["service"], record["address"]) == (SERVICE, "192.0.2.9")
    assert (record["client"], record["client_id"], record["account"]) == ("docker/20.10", "docker", "somebody")
    assert (record["verdict"], record["action"]) == ("refused", "push")
    assert (record["repository"], record["namespace"]) == ("team-a/web", "team-a")
    pull, push = record["scopes"][0]["actions"]
    assert (pull["action"], pull["allowed"], pull["rule"]) == ("pull", True, "pull.private")
    assert (push["action"], push["allowed"], push["rule"]) == ("push", False, "push.allow-teams")
    assert "viewer" in push["reason"]
    assert record["degraded"] is False


@pytest.mark.parametrize(
    ("user", "scopes", "verdict"),
    [
        ("owner", ("repository:team-a/web:pull,push",), "granted"),
        ("viewer", ("repository:team-a/web:pull",), "granted"),
        ("owner", ("repository:team-a/web:push", "repository:viewer/x:pull"), "partial"),
        ("viewer", ("repository:team-a/web:push",), "refused"),
        (None, ("repository:team-a/web:pull",), "refused"),
        ("viewer", (), "login"),
    ],
)
def test_a_verdict(auth: AuthService, user: str | None, scopes: tuple[str, ...], verdict: str) -> None:
    ask(auth, *scopes, user=user)

    assert only_record(auth)["verdict"] == verdict


def test_nobody_who_asks_nothing_leaves_no_record(auth: AuthService) -> None:
    ask(auth, user=None)

    assert records(auth) == []


def test_a_post_leaves_a_record_too(auth: AuthService) -> None:
    form = {"grant_type": "password", "username": "viewer", "password": PASSWORD, "service": SERVICE}
    auth.client.post("/v2/token", data={**form, "scope": "repository:team-a/x:pull", "client_id": "containerd-client"})
    auth.write_notes()

    record = only_record(auth)
    assert (record["verdict"], record["client_id"]) == ("granted", "containerd-client")


def test_a_machines_record_names_its_credential(auth: AuthService) -> None:
    token, robot = make_token(auth, auth.make_user("jane")), make_robot(auth)
    grant = make_grant(auth, "pull", robot_id=robot.id, pattern="team-a/*")

    ask(auth, "repository:jane/x:pull", user="jane", password=token.secret)
    ask(auth, "repository:team-a/x:pull", user=robot.username, password=robot.secret)

    of_robot, of_token = records(auth)
    assert of_token["credential"] == {"kind": "application token", "id": token.id, "name": "ci"}
    assert of_robot["credential"] == {"kind": "robot secret", "id": robot.secret_id, "name": ""}
    assert of_robot["subject"] == {"kind": "robot", "username": "robot+ci", "user_id": None, "robot_id": robot.id}
    assert of_robot["scopes"][0]["actions"][0]["grant_id"] == grant


def test_a_registry_of_another_name_is_told(auth: AuthService) -> None:
    ask(auth, "repository:team-a/web:pull", service="my\0-registry")

    record = only_record(auth)
    assert (record["verdict"], record["service"]) == ("refused", "my\\x00-registry")
    assert record["scopes"][0]["actions"][0]["rule"] == "unknown-registry"


def test_a_known_persons_wrong_password_leaves_one_record(auth: AuthService) -> None:
    for _ in range(3):
        ask(auth, "repository:team-a/web:pull", user="viewer", password="not the password")
    ask(auth, user="nobody", password="not the password")

    record = only_record(auth)
    assert (record["verdict"], record["subject"]["username"]) == ("unauthenticated", "viewer")
    assert record["reason"] == "The name or the password is wrong."


def test_an_ended_credential_leaves_its_reason(auth: AuthService) -> None:
    past = auth.clock.now - timedelta(days=1)
    token = make_token(auth, auth.make_user("jane"), expires_at=past)
    robot = make_robot(auth, enabled=False)

    ask(auth, user="jane", password=token.secret)
    ask(auth, user=robot.username, password=robot.secret)

    of_robot, of_token = records(auth)
    assert (of_token["verdict"], of_robot["verdict"]) == ("unauthenticated", "unauthenticated")
    assert "has expired" in of_token["reason"]
    assert "disabled" in of_robot["reason"]


def test_what_a_client_says_of_itself_is_cut_and_harmless(auth: AuthService) -> None:
    query = [("service", SERVICE), ("client_id", "x\0" * 200), ("account", "\x1b" * 300)]

    auth.client.get("/v2/token", query_string=query, headers={**basic("viewer"), "User-Agent": "y" * 1000})
    auth.write_notes()

    record = only_record(auth)
    assert [len(record[name]) for name in ("client", "client_id", "account")] == [255, 64, 255]
    assert record["client_id"].startswith("x\\x00")


def test_the_internal_account_leaves_records(auth: AuthService) -> None:
    ask(auth, "registry:catalog:*", user="portus", password=SERVICE_ACCOUNT_SECRET)

    assert only_record(auth)["subject"]["kind"] == "internal"


@pytest.fixture
def asked(auth: AuthService) -> AuthService:
    """Three requests: the stranger's and the viewer's in team-a, the stranger's in a namespace of their own."""
    ask(auth, "repository:team-a/web:push", user="viewer")
    ask(auth, "repository:team-a/web:pull", user="stranger")
    ask(auth, "repository:stranger/x:push", user="stranger")
    return auth


@pytest.mark.parametrize(
    ("reader", "seen"),
    [
        ("admin", ["stranger/x", "team-a/web", "team-a/web"]),
        ("auditor", ["stranger/x", "team-a/web", "team-a/web"]),
        ("owner", ["team-a/web", "team-a/web"]),
        ("viewer", ["team-a/web"]),
        ("stranger", ["stranger/x", "team-a/web"]),
    ],
)
def test_who_reads_what(asked: AuthService, reader: str, seen: list[str]) -> None:
    assert [record["repository"] for record in records(asked, user=reader)] == seen


@pytest.mark.parametrize("reader", ["admin", "auditor", "owner", "viewer", "stranger"])
def test_one_record_is_open_to_those_who_see_it_in_the_list(asked: AuthService, reader: str) -> None:
    ids = {record["id"] for record in records(asked, user=reader)}

    for record in records(asked):
        status = asked.call("GET", f"/api/v1/decisions/{record['id']}", user=reader).status_code
        assert status == (200 if record["id"] in ids else 404)


def test_an_owner_does_not_learn_from_where_others_came(asked: AuthService) -> None:
    record, _ = records(asked, user="owner")

    assert (record["address"], record["client"], record["credential"]["name"]) == ("", "", "")
    assert records(asked, user="owner", address="127.0.0.1") == []
    assert len(records(asked, user="viewer", address="127.0.0.1")) == 1


def test_an_owner_sees_of_a_mount_only_their_own_side(auth: AuthService) -> None:
    ask(auth, "repository:team-a/web:push", "repository:stranger/secret:pull", user="viewer")

    (record,) = records(auth, user="owner")

    assert [scope["name"] for scope in record["scopes"]] == ["team-a/web"]


def test_an_owner_sees_nothing_older_than_the_namespace(asked: AuthService) -> None:
    with asked.database.write() as connection:
        later = asked.clock.now + timedelta(days=1)
        connection.exec_driver_sql(f"UPDATE namespaces SET created_at = '{later:%Y-%m-%d %H:%M:%S.%f}'")

    assert records(asked, user="owner") == []


def test_a_refused_stranger_is_told_the_same_of_a_private_and_of_a_missing_namespace(auth: AuthService) -> None:
    for name in ("team-a", "team-b"):
        ask(auth, f"repository:{name}/web:pull,push,delete", "repository:stranger/x:pull", user="stranger")

    missing, private = records(auth, user="stranger")

    def told(record: dict[str, Any], name: str) -> str:
        kept = {key: value for key, value in record.items() if key not in ("id", "at")}
        return str(kept).replace(name, "…")

    assert told(missing, "team-b") == told(private, "team-a")
    assert "not-visible" in told(private, "team-a")


def test_whoever_sees_the_namespace_is_told_the_rule(auth: AuthService) -> None:
    with auth.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE namespaces SET visibility = '{Visibility.PUBLIC}' WHERE name = 'team-a'")

    ask(auth, "repository:team-a/web:push", user="stranger")

    (record,) = records(auth, user="stranger")
    assert record["scopes"][0]["actions"][0]["rule"] == "push.allow-teams"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"username": "stranger"}, 2),
        ({"namespace": "team-a"}, 2),
        ({"repository": "stranger/x"}, 1),
        ({"repository_prefix": "team-a/"}, 2),
        ({"verdict": "refused"}, 2),
        ({"action": "push", "namespace": "team-a"}, 1),
        ({"address": "127.0.0.1"}, 3),
        ({"address": "192.0.2.1"}, 0),
        ({"degraded": "true"}, 0),
    ],
)
def test_the_list_is_narrowed(asked: AuthService, query: dict[str, str], found: int) -> None:
    assert len(records(asked, **query)) == found


def test_the_list_is_narrowed_by_time(asked: AuthService) -> None:
    middle = (asked.clock.now - timedelta(seconds=2)).isoformat()

    assert len(records(asked, at_from=middle)) == 2
    assert len(records(asked, at_until=middle)) == 1


def test_the_list_is_walked_by_key_newest_first(asked: AuthService) -> None:
    whole = [record["id"] for record in records(asked)]

    first = asked.call("GET", "/api/v1/decisions?per_page=2", user="admin")
    target = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = asked.call("GET", target, user="admin")

    assert [record["id"] for record in (*first.get_json(), *second.get_json())] == whole
    assert "Link" not in second.headers


def test_the_list_is_sorted_by_time_only(asked: AuthService) -> None:
    """There are too many records to sort them by anything that has no index."""
    status = asked.call("GET", "/api/v1/decisions?sort_attr=username", user="admin").status_code

    assert status == 422


@pytest.mark.parametrize("id", ["x", "0" * 32, "f" * 32, "F" * 32, "%00" * 8, "-" * 32])
def test_what_is_no_record_is_404(auth: AuthService, id: str) -> None:
    assert auth.call("GET", f"/api/v1/decisions/{id}", user="admin").status_code == 404
