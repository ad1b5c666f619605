"""Acceptance cases of reference 11.7 and 11.10 that concern people's accounts, each by its number."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.auth import PASSWORD, AuthService, assert_problem, audit_entries_of


@pytest.fixture
def admin(auth: AuthService) -> AuthService:
    auth.make_user("admin", administrator=True)
    return auth


def post_user(auth: AuthService, username: str, *, user: str | None = "admin", **fields: Any) -> TestResponse:
    body = {"username": username, "email": f"{len(username)}-{username[-3:]}@example.org", "password": PASSWORD}
    return auth.call("POST", "/api/v1/users", user=user, json={**body, **fields})


def post_bot(auth: AuthService, **fields: Any) -> TestResponse:
    return auth.call("POST", "/api/v1/users", user="admin", json={"username": "builder", "bot": True, **fields})


def put_user(auth: AuthService, user_id: int, *, user: str = "admin", **changes: Any) -> TestResponse:
    return auth.call("PUT", f"/api/v1/users/{user_id}", user=user, json=changes)


def id_of(auth: AuthService, username: str) -> int:
    (row,) = auth.call("GET", f"/api/v1/users?username={username}", user="admin").get_json()
    return int(row["id"])


@pytest.mark.parametrize(("username", "namespace"), [("!lol!name", "lol_name"), ("john-doe", "john-doe")])
def test_cases_83_and_100_the_namespace_follows_the_name_and_is_told(
    admin: AuthService, username: str, namespace: str
) -> None:
    assert post_user(admin, username).get_json()["namespace"]["name"] == namespace


def test_case_84_a_name_without_a_namespace_is_an_error_of_the_username(admin: AuthService) -> None:
    assert set(assert_problem(post_user(admin, "!!!"), 422)["errors"]) == {"username"}


def test_case_125_an_administrator_makes_and_revokes_tokens_of_a_bot(admin: AuthService) -> None:
    bot = post_bot(admin).get_json()

    path = f"/api/v1/users/{bot['id']}/application_tokens"
    token = admin.call("POST", path, user="admin", json={"application": "ci"}).get_json()

    used = {"Portus-Auth": f"builder:{token['plain_token']}"}
    assert (bot["bot"], bot["namespace"]) == (True, None)
    assert admin.client.get("/api/v1/users/self", headers=used).status_code == 200
    revoked = admin.call("DELETE", f"/api/v1/users/application_tokens/{token['id']}", user="admin")
    assert revoked.status_code == 204
    assert_problem(admin.client.get("/api/v1/users/self", headers=used), 401)


@pytest.mark.parametrize("secret", ["", PASSWORD])
def test_a_bot_has_no_password(admin: AuthService, secret: str) -> None:
    bot = post_bot(admin).get_json()

    assert_problem(post_bot(admin, username="other", password=PASSWORD), 422, "application token")
    assert_problem(put_user(admin, bot["id"], password=PASSWORD), 422, "application token")
    assert_problem(admin.call("GET", "/api/v1/users/self", user="builder", password=secret), 401)


def test_a_bot_is_never_administrator(admin: AuthService) -> None:
    bot = post_bot(admin).get_json()

    assert_problem(post_bot(admin, username="other", admin=True), 422, "a bot cannot be administrator")
    assert_problem(put_user(admin, bot["id"], admin=True), 422, "a bot cannot be administrator")


@pytest.mark.parametrize("missing", ["email", "password"])
def test_a_person_needs_an_address_and_a_password(admin: AuthService, missing: str) -> None:
    body = {"username": "jane", "email": "jane@example.org", "password": PASSWORD}
    del body[missing]

    refused = admin.call("POST", "/api/v1/users", user="admin", json=body)

    assert set(assert_problem(refused, 400)["errors"]) == {missing}


def test_case_127_a_token_of_a_disabled_person_is_401(admin: AuthService) -> None:
    jane = admin.make_user("jane")
    token = admin.call("POST", "/api/v1/application_tokens", user="jane", json={"application": "ci"}).get_json()

    put_user(admin, jane.id, enabled=False)

    used = {"Portus-Auth": f"jane:{token['plain_token']}"}
    assert_problem(admin.client.get("/api/v1/users/self", headers=used), 401)


def test_case_129_administrators_manage_users_and_others_do_not(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    assert admin.call("GET", "/api/v1/users", user="admin").status_code == 200
    assert post_user(admin, "new").status_code == 201
    assert put_user(admin, jane.id, display_name="J.").status_code == 200
    assert_problem(post_user(admin, "newer", user="jane"), 403)
    assert_problem(post_user(admin, "newer", user=None), 401)


def test_case_130_nobody_is_called_like_the_internal_account(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    assert_problem(post_user(admin, "Portus"), 422, "is reserved")
    assert_problem(put_user(admin, jane.id, username="portus"), 422, "cannot be changed")
    assert admin.call("GET", "/api/v1/users?username=portus", user="admin").get_json() == []


def test_a_username_stays_and_may_be_sent_as_it_is(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    assert_problem(put_user(admin, jane.id, username="joan"), 422, "cannot be changed")
    assert put_user(admin, jane.id, username="jane", display_name="J.").status_code == 200


def test_case_132_the_last_enabled_administrator_is_not_disabled(admin: AuthService) -> None:
    mine = id_of(admin, "admin")
    assert_problem(put_user(admin, mine, enabled=False), 422, "last enabled administrator")
    admin.make_user("second", administrator=True)
    body = {"username": "admin", "password": PASSWORD}
    token = admin.client.post("/api/v1/sessions", json=body).get_json()["access_token"]

    assert put_user(admin, mine, enabled=False).status_code == 200

    headers = {"Authorization": f"Bearer {token}"}
    assert_problem(admin.client.get("/api/v1/users/self", headers=headers), 401)


def test_case_134_the_right_of_an_administrator_is_given_and_taken_by_others(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    assert_problem(put_user(admin, id_of(admin, "admin"), admin=False), 403)
    assert put_user(admin, jane.id, admin=True).get_json()["admin"] is True
    assert put_user(admin, jane.id, admin=False).get_json()["admin"] is False


def test_case_135_the_last_administrator_is_not_demoted(admin: AuthService) -> None:
    jane = admin.make_user("jane", administrator=True)
    put_user(admin, jane.id, enabled=False)

    assert_problem(put_user(admin, id_of(admin, "admin"), admin=False), 403)

    assert admin.call("GET", "/api/v1/users", user="admin").status_code == 200


def test_a_person_is_made_auditor_and_it_is_kept(admin: AuthService) -> None:
    jane = admin.make_user("jane")

    assert put_user(admin, jane.id, auditor=True).get_json()["auditor"] is True

    assert admin.call("GET", "/api/v1/users", user="jane").status_code == 200
    assert_problem(post_user(admin, "new", user="jane"), 403)
    assert audit_entries_of(admin, "user")[-1]["after"] == {"auditor": True}


def test_nobody_is_administrator_and_auditor(admin: AuthService) -> None:
    jane = admin.make_user("jane", auditor=True)

    assert_problem(put_user(admin, jane.id, admin=True), 422, "not both")
    assert_problem(put_user(admin, id_of(admin, "admin"), auditor=True), 422, "not both")
    assert_problem(post_user(admin, "new", admin=True, auditor=True), 422, "not both")
    assert put_user(admin, jane.id, admin=True, auditor=False).get_json()["admin"] is True


@pytest.mark.parametrize("address", ["jane@example.org", "JANE@example.org"])
def test_an_account_is_found_by_its_address(admin: AuthService, address: str) -> None:
    jane = admin.make_user("jane")

    assert admin.call("GET", f"/api/v1/users/{address}", user="admin").get_json()["id"] == jane.id


@pytest.mark.parametrize("key", ["nobody@example.org", "jane", "0", "9" * 30, "٣", "%00", "%00@example.org"])
def test_what_is_neither_id_nor_address_of_anybody_is_404(admin: AuthService, key: str) -> None:
    admin.make_user("jane")

    assert_problem(admin.call("GET", f"/api/v1/users/{key}", user="admin"), 404)
