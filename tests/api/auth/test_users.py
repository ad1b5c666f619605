"""Accounts and the first administrator."""

from typing import Any

import pytest
from sqlalchemy import select

from services.auth.storage.tables import outbox
from tests.support.auth import PASSWORD, AuthFactory, AuthService, assert_problem

NEW = {"username": "jane", "email": "jane@example.org", "password": PASSWORD}


@pytest.fixture
def admin(auth: AuthService) -> AuthService:
    auth.make_user("admin", administrator=True)
    return auth


def post_user(auth: AuthService, **changes: Any) -> Any:
    return auth.call("POST", "/api/v1/users", user="admin", json={**NEW, **changes})


def put_user(auth: AuthService, user_id: int, *, user: str = "admin", **changes: Any) -> Any:
    return auth.call("PUT", f"/api/v1/users/{user_id}", user=user, json=changes)


@pytest.mark.parametrize("wrapped", [False, True], ids=["flat", "nested"])
def test_the_first_to_come_becomes_administrator(auth: AuthService, wrapped: bool) -> None:
    assert auth.call("GET", "/api/v1/setup").get_json()["needs_administrator"]

    response = auth.call("POST", "/api/v1/users/bootstrap", json={"user": NEW} if wrapped else NEW)

    assert response.status_code == 201
    assert response.get_json()["admin"] is True
    assert auth.call("GET", "/api/v1/users", user="jane").status_code == 200
    assert not auth.call("GET", "/api/v1/setup").get_json()["needs_administrator"]


def test_case_128_a_token_comes_with_the_first_administrator(auth: AuthService) -> None:
    response = auth.call("POST", "/api/v1/users/bootstrap", json=NEW)

    made = response.get_json()
    assert (response.status_code, made["application"]) == (201, "bootstrap")
    assert response.headers["Cache-Control"] == "no-store"
    shown = auth.client.get("/api/v1/users", headers={"Portus-Auth": f"jane:{made['plain_token']}"})
    assert shown.status_code == 200
    assert_problem(auth.call("POST", "/api/v1/users/bootstrap", json=NEW), 400)


def test_case_128_values_and_the_switch(make_auth: AuthFactory) -> None:
    invalid = make_auth().call("POST", "/api/v1/users/bootstrap", json={**NEW, "email": "nonsense"})
    assert "email" in assert_problem(invalid, 422)["errors"]

    refused = make_auth(first_user_admin=False).call("POST", "/api/v1/users/bootstrap", json=NEW)
    assert_problem(refused, 405)


def test_a_token_need_not_come_along(auth: AuthService) -> None:
    made = auth.call("POST", "/api/v1/users/bootstrap", json={**NEW, "token": False}).get_json()

    assert "plain_token" not in made
    assert auth.call("GET", "/api/v1/application_tokens", user="jane").get_json() == []


def test_the_second_to_come_does_not(auth: AuthService) -> None:
    auth.make_user("first")

    assert_problem(auth.call("POST", "/api/v1/users/bootstrap", json=NEW), 400)


def test_nobody_does_where_it_is_switched_off(make_auth: AuthFactory) -> None:
    auth = make_auth(first_user_admin=False)

    assert not auth.call("GET", "/api/v1/setup").get_json()["needs_administrator"]
    refused = auth.call("POST", "/api/v1/users/bootstrap", json=NEW)
    assert_problem(refused, 405, "PORTUS_FIRST_USER_ADMIN")
    assert refused.headers["Allow"] == "OPTIONS"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"email": "nonsense"}, "email", id="no e-mail address"),
        pytest.param({"username": "a:b"}, "username", id="a colon"),
        pytest.param({"username": "portus"}, "username", id="the reserved name"),
        pytest.param({"username": "x" * 129}, "username", id="a long name"),
        pytest.param({"username": "!!!"}, "username", id="a name without a namespace"),
        pytest.param({"password": "short"}, "password", id="a short password"),
        pytest.param({"password": "x" * 129}, "password", id="a long password"),
        pytest.param({"display_name": "a\nb"}, "display_name", id="a line end"),
        pytest.param({"display_name": "\ud800"}, "display_name", id="half a character"),
        pytest.param({"admin": True}, "admin", id="an unknown field"),
    ],
)
def test_unusable_values_are_told_by_field(auth: AuthService, changes: dict[str, Any], field: str) -> None:
    response = auth.call("POST", "/api/v1/users/bootstrap", json={**NEW, **changes})

    assert field in assert_problem(response, 422)["errors"]


def test_a_new_user_gets_a_personal_namespace(admin: AuthService) -> None:
    response = post_user(admin, username="John-Doe")

    user = response.get_json()
    assert response.status_code == 201
    assert user["namespace"]["name"] == "john-doe"
    assert user["namespace_id"] == user["namespace"]["id"]
    assert admin.access("repository:john-doe/x:pull,push", user="John-Doe") == ["repository:john-doe/x:pull,push"]
    assert admin.access("repository:john-doe/x:pull,push", user="admin") == ["repository:john-doe/x:pull,push"]


def test_nobody_else_gets_into_a_personal_namespace(admin: AuthService) -> None:
    post_user(admin)
    post_user(admin, username="other", email="other@example.org")

    assert admin.access("repository:jane/x:pull,push", user="other") == []


def test_a_taken_namespace_name_gets_a_suffix(admin: AuthService) -> None:
    post_user(admin, username="!lol!name")

    second = post_user(admin, username="lol_name", email="second@example.org")

    assert second.get_json()["namespace"]["name"] == "lol_name0"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"email": "new@example.org"}, {"username"}),
        ({"username": "new"}, {"email"}),
        ({"username": "JANE", "email": "JANE@example.org"}, {"username", "email"}),
    ],
)
def test_names_and_addresses_are_unique_in_any_case(
    admin: AuthService, changes: dict[str, str], fields: set[str]
) -> None:
    post_user(admin)

    assert set(assert_problem(post_user(admin, **changes), 422)["errors"]) == fields


def test_equal_display_names_are_fine(admin: AuthService) -> None:
    assert post_user(admin, display_name="Jane").status_code == 201
    assert post_user(admin, username="j2", email="j2@example.org", display_name="Jane").status_code == 201


def test_no_answer_holds_a_password(admin: AuthService) -> None:
    bodies = [post_user(admin), admin.call("GET", "/api/v1/users", user="admin")]

    for body in bodies:
        assert "argon2" not in body.get_data(as_text=True)
        assert "password" not in body.get_data(as_text=True)


def test_self_shows_the_caller(admin: AuthService) -> None:
    body = admin.call("GET", "/api/v1/users/self", user="admin").get_json()

    assert set(body) >= {"id", "username", "email", "display_name", "admin", "enabled", "namespace"}
    assert (body["username"], body["admin"], body["namespace"]["name"]) == ("admin", True, "admin")


def test_a_list_is_paged(admin: AuthService) -> None:
    for number in range(4):
        admin.make_user(f"user{number}")

    response = admin.call("GET", "/api/v1/users?page=2&per_page=3", user="admin")

    assert [user["username"] for user in response.get_json()] == ["user2", "user3"]
    assert response.headers["X-Total"] == "5"
    assert response.headers["X-Per-Page"] == "3"


@pytest.mark.parametrize("query", ["page=0", "per_page=101", "page=x", "page=99999999999"])
def test_a_page_that_cannot_be_is_refused(admin: AuthService, query: str) -> None:
    assert_problem(admin.call("GET", f"/api/v1/users?{query}", user="admin"), 422)


def test_a_page_beyond_the_end_is_empty(admin: AuthService) -> None:
    assert admin.call("GET", "/api/v1/users?page=1000000", user="admin").get_json() == []


def test_an_administrator_changes_an_account(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    changed = put_user(admin, jane.id, email="new@example.org", display_name="Jane D.", admin=True).get_json()

    assert (changed["email"], changed["display_name"], changed["admin"]) == ("new@example.org", "Jane D.", True)
    assert admin.call("GET", "/api/v1/users", user="jane").status_code == 200


def test_names_stay(admin: AuthService) -> None:
    """A renamed account would keep its old namespace, and the registry its old paths."""
    jane = admin.make_user("jane")

    assert_problem(put_user(admin, jane.id, username="janet"), 422, "username")


def test_an_address_that_another_has_is_refused(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    assert_problem(put_user(admin, jane.id, email="ADMIN@example.org"), 422, "email")
    assert put_user(admin, jane.id, email="JANE@example.org").status_code == 200


def test_administrators_keep_their_right_until_another_takes_it(admin: AuthService) -> None:
    me = admin.call("GET", "/api/v1/users/self", user="admin").get_json()["id"]
    other = admin.make_user("other", administrator=True)

    assert_problem(put_user(admin, me, admin=False), 403)
    assert put_user(admin, me, user="other", admin=False).status_code == 200
    assert_problem(put_user(admin, other.id, user="other", admin=False), 403)


def test_the_last_administrator_cannot_disable_themself(admin: AuthService) -> None:
    me = admin.call("GET", "/api/v1/users/self", user="admin").get_json()["id"]
    assert_problem(put_user(admin, me, enabled=False), 422)

    admin.make_user("other", administrator=True)

    assert put_user(admin, me, enabled=False).status_code == 200
    assert admin.call("GET", "/api/v1/users/self", user="admin").status_code == 401


def test_an_id_that_no_database_holds_does_not_exist(admin: AuthService) -> None:
    assert_problem(admin.call("GET", f"/api/v1/users/{2**31}", user="admin"), 404)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param({"data": "{", "content_type": "application/json"}, 400, id="broken JSON"),
        pytest.param({"data": {"user[username]": "jane"}}, 415, id="a form"),
        pytest.param({"json": [1]}, 400, id="no object"),
        pytest.param({"json": {}}, 400, id="nothing"),
        pytest.param({}, 400, id="no body"),
        pytest.param({"data": b"x" * (1024 * 1024 + 1), "content_type": "application/json"}, 413, id="too long"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(admin: AuthService, options: dict[str, Any], status: int) -> None:
    assert_problem(admin.call("POST", "/api/v1/users", user="admin", **options), status)


def test_a_wrong_verb_is_405_and_an_unknown_path_404(admin: AuthService) -> None:
    refused = admin.call("DELETE", "/api/v1/users", user="admin")

    assert_problem(refused, 405)
    assert "POST" in refused.headers["Allow"]
    assert_problem(admin.call("GET", "/api/v1/nothing", user="admin"), 404)


def test_people_and_their_namespaces_are_announced(admin: AuthService) -> None:
    jane = post_user(admin).get_json()
    address = f"/api/v1/users/{jane['id']}"
    admin.call("PUT", address, user="admin", json={"enabled": False, "auditor": True})
    before = _announced(admin)
    admin.call("PUT", address, user="admin", json={"enabled": False})
    assert _announced(admin) == before

    with admin.database.read() as connection:
        envelopes = connection.execute(select(outbox.c.envelope).order_by(outbox.c.sequence)).scalars().all()

    namespace, created, updated = envelopes[-3:]
    assert namespace["type"] == "auth.namespace.created.v1"
    assert namespace["data"] == {"name": "jane", "team": "jane", "visibility": "private"}
    assert (created["type"], created["source"], created["subject"]) == ("auth.user.created.v1", "/auth", "jane")
    assert created["data"] == {"username": "jane", "actor": "admin"}
    assert updated["type"] == "auth.user.updated.v1"
    state = {"status": "disabled", "office": "auditor"}
    assert updated["data"] == {"username": "jane", **state, "actor": "admin"}


def test_a_refused_user_announces_nothing(admin: AuthService) -> None:
    before = _announced(admin)

    post_user(admin, username="admin", email="x@example.org")

    assert _announced(admin) == before


def _announced(auth: AuthService) -> int:
    with auth.database.read() as connection:
        return len(connection.execute(select(outbox.c.sequence)).all())
