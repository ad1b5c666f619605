"""Versions, repeated creations, methods and pages of other hosts, over every route of the management API."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.teams import Role
from services.auth.storage.tables import idempotency_keys
from services.auth.worker import tidy
from tests.support.auth import PASSWORD, AuthFactory, AuthService, assert_problem

# A body for every route that makes or changes something; a new one fails until it is here.
BODIES: dict[str, Any] = {
    "POST /users": {"username": "new", "email": "new@example.org", "password": PASSWORD},
    "POST /teams": {"name": "red"},
    "POST /teams/{team_id}/members": {"user": "zoe"},
    "POST /namespaces": {"name": "fresh", "team": "blue"},
    "PUT /users/self": {"display_name": "J."},
    "PUT /users/{user_id}": {"display_name": "V."},
    "PUT /teams/{team_id}/members/{member_id}": {"role": "contributor"},
    "PUT /namespaces/{namespace_id}": {"description": "new"},
    "POST /registries": {"name": "third", "hostname": "third.example.org"},
    "PUT /registries/{registry_id}": {"name": "other"},
    "POST /application_tokens": {"application": "ci"},
    "POST /users/{user_id}/application_tokens": {"application": "ci"},
    "POST /robots": {"name": "ci"},
    "PUT /robots/{robot_id}": {"description": "new"},
    "POST /robots/{robot_id}/secrets": {},
    "POST /roles": {"name": "deployer", "actions": ["pull"]},
    "PUT /roles/{role_id}": {"description": "new"},
    "POST /grants": {"user": "zoe", "pattern": "*", "actions": ["pull"]},
    "POST /namespaces/{namespace_id}/grants": {"user": "zoe", "actions": ["pull"]},
    "PUT /grants/{grant_id}": {"reason": "new"},
    "POST /namespaces/{namespace_id}/freezes": {"reason": "release"},
    "PUT /namespaces/{namespace_id}/freezes/{freeze_id}": {"reason": "audit"},
}
CALLERS = {"/users/{user_id}/application_tokens": "vera"}
"""Who makes it, where that is not the administrator: people make their own tokens."""
NO_VERSION = {
    *("PUT /users/self/password", "DELETE /sessions", "DELETE /sessions/{session_id}"),
    *("DELETE /users/{user_id}/sessions", "DELETE /users/{user_id}/sessions/{session_id}"),
}
"""What is never shown as one thing: a password, and sessions, which change whenever they are used."""
NO_CREATION = {"/simulate"}
"""POST that makes nothing."""
NO_KEY = {"/users/bootstrap", "/users/signup", "/sessions", "/sessions/refresh", "/sessions/revoke"}
"""Nobody has signed in yet; there is no caller to whom a key could belong."""


@pytest.fixture
def world(make_auth: AuthFactory) -> AuthService:
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS))
    jane = auth.make_user("jane", administrator=True)
    auth.make_user("vera")
    auth.make_user("zoe")
    team = auth.make_team("blue", owner=jane, vera=Role.VIEWER)
    auth.make_namespace("harbour", team=team)
    call(auth, "POST", "/registries", json={"name": "second", "hostname": "second.example.org"})
    return auth


def ids(auth: AuthService) -> dict[str, int]:
    """Return the ids of what is in the world, by the parameters of the routes."""
    (vera,) = call(auth, "GET", "/users?username=vera").get_json()
    (team,) = call(auth, "GET", "/teams?name=blue").get_json()
    (member,) = call(auth, "GET", f"/teams/{team['id']}/members?username=vera").get_json()
    (namespace,) = call(auth, "GET", "/namespaces?name=harbour").get_json()
    (registry,) = call(auth, "GET", "/registries?name=second").get_json()
    auth.get_token("repository:harbour/web:pull", user="vera")
    auth.write_notes()
    decision, *_ = call(auth, "GET", "/decisions").get_json()
    found = {"user": vera, "team": team, "member": member, "namespace": namespace, "registry": registry}
    auth.get_token(user="vera", query={"offline_token": "true"})
    *_, login = call(auth, "GET", f"/users/{vera['id']}/logins").get_json()
    found |= {"decision": decision, "login": login}
    named = {f"{name}_id": row["id"] for name, row in {**found, **make_more(auth, namespace["id"])}.items()}
    return {"entry_id": 1, "session_id": 0, "beginning": "h", **named}


def make_more(auth: AuthService, namespace_id: int) -> dict[str, dict[str, Any]]:
    """Make another one of each thing that has no name by which it could be found."""
    name = uuid4().hex
    bodies = {
        "token": ("/application_tokens", {"application": name}),
        "role": ("/roles", {"name": name, "actions": ["pull"]}),
        "grant": ("/grants", {"user": "vera", "pattern": name, "actions": ["pull"]}),
        "robot": ("/robots", {"name": name}),
        "freeze": (f"/namespaces/{namespace_id}/freezes", {"repository": f"harbour/{name}", "reason": "release"}),
    }
    made = {what: call(auth, "POST", path, json=body).get_json() for what, (path, body) in bodies.items()}
    return {**made, "secret": made["robot"]["secrets"][0]}


def call(auth: AuthService, method: str, path: str, *, user: str = "jane", **options: Any) -> TestResponse:
    # Nobody answers for the registries of this world.
    query = "?force=true" if path.startswith("/registries") and method in {"POST", "PUT"} else ""
    return auth.call(method, f"/api/v1{path}{query}", user=user, **options)


def operations(auth: AuthService) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of every documented route below ``/api/v1``."""
    for path, verbs in auth.client.get("/api/openapi.json").get_json()["paths"].items():
        for verb, operation in verbs.items():
            if path.startswith("/api/v1/") and isinstance(operation, dict):
                yield verb.upper(), path.removeprefix("/api/v1"), operation


def takes(operation: dict[str, Any], header: str) -> bool:
    return header in {parameter.get("name") for parameter in operation.get("parameters", [])}


def test_every_change_of_one_thing_can_name_the_version_that_was_seen(world: AuthService) -> None:
    names = ids(world)
    changing = [(method, path) for method, path, _ in operations(world) if method in {"PUT", "PATCH", "DELETE"}]

    for method, path in changing:
        if f"{method} {path}" in NO_VERSION:
            continue
        body, target = BODIES.get(f"{method} {path}"), path.format(**names)
        shown = call(world, "GET", target)
        refused = call(world, method, target, json=body, headers={"If-Match": '"another"'})
        assert_problem(refused, 412, "read it again")
        assert call(world, "GET", target).data == shown.data
        if method != "DELETE":
            done = call(world, method, target, json=body, headers={"If-Match": shown.headers["ETag"]})
            assert done.status_code == 200, (method, path, done.text)


def test_what_was_seen_last_is_deleted(world: AuthService) -> None:
    path = "/teams/{team_id}/members/{member_id}".format(**ids(world))
    seen = call(world, "GET", path).headers["ETag"]

    assert call(world, "DELETE", path, headers={"If-Match": seen}).status_code == 204


def test_every_thing_that_is_shown_names_its_version(world: AuthService) -> None:
    names = ids(world)
    shown = [path for method, path, operation in operations(world) if method == "GET" and path.endswith("_id}")]

    for path in shown:
        tag = call(world, "GET", path.format(**names)).headers["ETag"]
        again = call(world, "GET", path.format(**names), headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")


def test_a_change_gives_the_next_version(world: AuthService) -> None:
    path = f"/namespaces/{ids(world)['namespace_id']}"
    first = call(world, "GET", path).headers["ETag"]

    second = call(world, "PUT", path, json={"description": "new"}, headers={"If-Match": first}).headers["ETag"]

    assert second != first
    assert call(world, "GET", path).headers["ETag"] == second


def test_who_may_not_change_it_is_not_told_of_versions(world: AuthService) -> None:
    names = ids(world)
    refused = {"headers": {"If-Match": '"another"'}, "json": {"description": "new"}}

    assert_problem(call(world, "PUT", f"/namespaces/{names['namespace_id']}", user="vera", **refused), 403)
    assert_problem(call(world, "PUT", f"/namespaces/{names['namespace_id']}", user="zoe", **refused), 404)


def test_of_two_who_have_seen_the_same_one_succeeds(world: AuthService) -> None:
    path = f"/namespaces/{ids(world)['namespace_id']}"
    tag = call(world, "GET", path).headers["ETag"]
    answers: list[int] = []

    def change(description: str) -> None:
        body, headers = {"description": description}, {"If-Match": tag}
        answers.append(call(world, "PUT", path, json=body, headers=headers).status_code)

    threads = [threading.Thread(target=change, args=(f"change {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200, 412, 412, 412]


def test_every_creation_can_be_repeated(world: AuthService) -> None:
    names = ids(world)
    posts = {path: operation for method, path, operation in operations(world) if method == "POST"}
    creating = {path for path, operation in posts.items() if takes(operation, "Idempotency-Key")}

    for path in creating:
        options = {"user": CALLERS.get(path, "jane"), "json": BODIES[f"POST {path}"]}
        first, second = (
            call(world, "POST", path.format(**names), headers={"Idempotency-Key": "once"}, **options) for _ in range(2)
        )
        assert (first.status_code, second.status_code, second.data) == (201, 201, first.data), path
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.headers["Location"] == first.headers["Location"]
    assert creating == set(posts) - NO_KEY - NO_CREATION


def test_what_was_made_is_found_where_the_answer_says(world: AuthService) -> None:
    names = ids(world)

    for route in (route for route in BODIES if route.startswith("POST")):
        path = route.removeprefix("POST ")
        user = CALLERS.get(path, "jane")
        made = call(world, "POST", path.format(**names), user=user, json=BODIES[route])
        shown = world.call("GET", made.headers["Location"], user=user).get_json()
        # A secret is shown once.
        assert shown == {
            name: value for name, value in made.get_json().items() if name not in {"plain_token", "secret"}
        }


def test_the_first_administrator_is_found_where_the_answer_says(auth: AuthService) -> None:
    body = {**BODIES["POST /users"], "username": "jane", "token": False}
    made = auth.call("POST", "/api/v1/users/bootstrap", json=body)

    assert auth.call("GET", made.headers["Location"], user="jane").get_json() == made.get_json()


def test_a_key_belongs_to_one_caller(world: AuthService) -> None:
    headers = {"Idempotency-Key": "once"}
    call(world, "POST", "/teams", json={"name": "red"}, headers=headers)

    answer = call(world, "POST", "/teams", user="vera", json={"name": "red"}, headers=headers)

    assert_problem(answer, 422, "has already been taken")


def test_another_body_under_the_same_key_is_422(world: AuthService) -> None:
    headers = {"Idempotency-Key": "once"}
    call(world, "POST", "/teams", json={"name": "red"}, headers=headers)

    assert_problem(call(world, "POST", "/teams", json={"name": "green"}, headers=headers), 422, "another body")


def test_a_refused_creation_is_tried_anew(world: AuthService) -> None:
    headers = {"Idempotency-Key": "once"}
    assert_problem(call(world, "POST", "/teams", json={"name": "blue"}, headers=headers), 422)

    again = call(world, "POST", "/teams", json={"name": "red"}, headers=headers)

    assert again.status_code == 201


def test_a_repeated_creation_needs_credentials_like_the_first(world: AuthService) -> None:
    body, headers = {"name": "red"}, {"Idempotency-Key": "once"}
    call(world, "POST", "/teams", user="vera", json=body, headers=headers)
    call(world, "PUT", f"/users/{ids(world)['user_id']}", json={"enabled": False})

    assert_problem(call(world, "POST", "/teams", user="vera", json=body, headers=headers), 401)


def test_a_secret_that_is_shown_once_comes_again_to_the_same_key_only(world: AuthService) -> None:
    options: dict[str, Any] = {"json": {"application": "ci"}, "headers": {"Idempotency-Key": "once"}}
    made, again = (call(world, "POST", "/application_tokens", **options).get_json() for _ in range(2))

    assert made["plain_token"] == again["plain_token"]
    assert "plain_token" not in call(world, "GET", f"/application_tokens/{made['id']}").get_json()
    with world.database.read() as connection:
        assert made["plain_token"] not in str(connection.execute(select(idempotency_keys)).all())


def test_kept_answers_hold_nothing_in_clear_and_go_after_a_day(world: AuthService) -> None:
    # Names so long that no cipher text happens to hold them.
    name, key = "the-reddest-of-all-teams", "once-and-never-again"
    call(world, "POST", "/teams", json={"name": name}, headers={"Idempotency-Key": key})
    with world.database.read() as connection:
        (row,) = connection.execute(select(idempotency_keys)).all()
    assert name not in row.answer
    assert key not in str(row)

    world.clock.advance(hours=24)
    tidy(world.services.keyring, world.database, world.clock, world.services.settings)

    with world.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(idempotency_keys)).scalar_one() == 0


def test_a_method_that_a_route_does_not_know_is_405_with_those_that_it_does(world: AuthService) -> None:
    answer = call(world, "PATCH", f"/users/{ids(world)['user_id']}")

    assert_problem(answer, 405)
    assert {"GET", "PUT"} <= set(answer.headers["Allow"].split(", "))


def test_case_138_what_cannot_be_understood(world: AuthService) -> None:
    headers = {"Content-Type": "application/json"}

    assert_problem(call(world, "POST", "/teams", data="{", headers=headers), 400)
    assert_problem(call(world, "POST", "/teams", json={}), 400, "name")
    assert_problem(call(world, "GET", "/namespaces/validate"), 400, "name")
    assert_problem(call(world, "GET", "/nothing-of-that-name"), 404)
    assert_problem(call(world, "DELETE", "/teams"), 405)


def test_asking_beforehand_needs_no_credentials(world: AuthService) -> None:
    asked, names = {"Origin": "https://other.example.org", "Access-Control-Request-Method": "POST"}, ids(world)

    for path in {path.format(**names) for _, path, _ in operations(world)}:
        answer = world.client.options(f"/api/v1{path}", headers=asked)
        assert answer.status_code == 200, path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_portals_pages_may_call_with_credentials(make_auth: AuthFactory) -> None:
    auth = make_auth(web_url="https://portal.example.org/")

    answer = auth.client.get("/api/v1/setup", headers={"Origin": "https://portal.example.org"})

    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
