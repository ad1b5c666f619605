"""What people do about their own account: profile, password, and where they are signed in."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from services.auth.storage.tables import refresh_tokens
from tests.support.auth import PASSWORD, AuthService, assert_problem, audit_entries_of

NEW = "another password"


@pytest.fixture
def jane(auth: AuthService) -> AuthService:
    auth.make_user("admin", administrator=True)
    auth.make_user("jane")
    return auth


def sign_in(auth: AuthService, username: str = "jane", agent: str = "Firefox") -> dict[str, Any]:
    body = {"username": username, "password": PASSWORD}
    answer = auth.client.post("/api/v1/sessions", json=body, headers={"User-Agent": agent}).get_json()
    assert isinstance(answer, dict)
    return answer


def call(auth: AuthService, session: dict[str, Any], method: str, path: str, **options: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    return auth.client.open(f"/api/v1{path}", method=method, headers=headers, **options)


def listed(auth: AuthService, session: dict[str, Any]) -> list[dict[str, Any]]:
    rows = call(auth, session, "GET", "/sessions").get_json()
    assert isinstance(rows, list)
    return rows


def is_alive(auth: AuthService, session: dict[str, Any]) -> bool:
    refreshed = auth.client.post("/api/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    statuses = {call(auth, session, "GET", "/users/self").status_code, refreshed.status_code}
    assert statuses in ({200}, {401})
    return statuses == {200}


def keep_refresh_token(auth: AuthService, username: str = "jane") -> None:
    """Do as if docker had kept a login of that person."""
    now = auth.clock()
    user = auth.call("GET", "/api/v1/users/self", user=username).get_json()
    row = {"registry_id": 1, "user_id": user["id"], "client_id": "docker", "address": "10.0.0.1"}
    times = {"last_used_at": now, "expires_at": now + timedelta(days=9), "created_at": now}
    with auth.database.write() as connection:
        connection.execute(insert(refresh_tokens).values(token_hash=username, **row, **times))


def kept_refresh_tokens(auth: AuthService) -> set[str]:
    with auth.database.read() as connection:
        return set(connection.execute(select(refresh_tokens.c.token_hash)).scalars())


def change_password(
    auth: AuthService, session: dict[str, Any], current: str = PASSWORD, new: str = NEW
) -> TestResponse:
    return call(auth, session, "PUT", "/users/self/password", json={"current_password": current, "password": new})


def test_people_see_their_own_sessions_and_which_one_asks(jane: AuthService) -> None:
    sign_in(jane, "admin")
    first, second = sign_in(jane, agent="Firefox"), sign_in(jane, agent="curl")

    rows = listed(jane, first)

    assert {row["user_agent"]: row["current"] for row in rows} == {"Firefox": True, "curl": False}
    assert {row["user_agent"]: row["current"] for row in listed(jane, second)} == {"Firefox": False, "curl": True}
    assert set(rows[0]) == {"id", "address", "user_agent", "created_at", "last_used_at", "current"}
    assert rows[0]["address"] == "127.0.0.1"


def test_a_session_that_has_ended_is_not_listed(jane: AuthService) -> None:
    sign_in(jane)
    jane.clock.advance(days=15)

    assert jane.call("GET", "/api/v1/sessions", user="jane").get_json() == []


def test_one_session_is_ended_and_the_others_go_on(jane: AuthService) -> None:
    here, there = sign_in(jane), sign_in(jane)
    (other,) = [row["id"] for row in listed(jane, here) if not row["current"]]

    assert call(jane, here, "DELETE", f"/sessions/{other}").status_code == 204

    assert (is_alive(jane, here), is_alive(jane, there)) == (True, False)
    assert audit_entries_of(jane, "session")[-1]["action"] == "session.revoked"


def test_nobody_ends_a_session_of_somebody_else(jane: AuthService) -> None:
    mine, theirs = sign_in(jane), sign_in(jane, "admin")
    (foreign,) = [row["id"] for row in listed(jane, theirs)]

    assert_problem(call(jane, mine, "DELETE", f"/sessions/{foreign}"), 404)

    assert is_alive(jane, theirs)


def test_all_other_sessions_are_ended_at_once(jane: AuthService) -> None:
    here, there, foreign = sign_in(jane), sign_in(jane), sign_in(jane, "admin")

    assert call(jane, here, "DELETE", "/sessions").status_code == 204

    assert [is_alive(jane, session) for session in (here, there, foreign)] == [True, False, True]


def test_a_new_password_ends_every_other_session_and_login(jane: AuthService) -> None:
    here, there = sign_in(jane), sign_in(jane)
    keep_refresh_token(jane)
    keep_refresh_token(jane, "admin")

    assert change_password(jane, here).status_code == 204

    assert (is_alive(jane, here), is_alive(jane, there)) == (True, False)
    assert kept_refresh_tokens(jane) == {"admin"}
    assert_problem(jane.call("GET", "/api/v1/users/self", user="jane"), 401)
    assert jane.call("GET", "/api/v1/users/self", user="jane", password=NEW).status_code == 200
    assert audit_entries_of(jane, "user")[-1]["action"] == "user.password_changed"


def test_a_wrong_current_password_changes_nothing_and_is_counted(jane: AuthService) -> None:
    here = sign_in(jane)
    jane.clock.advance(minutes=2)

    answers = [change_password(jane, here, current=f"wrong password {number}") for number in range(7)]

    assert assert_problem(answers[0], 422)["errors"] == {"current_password": ["is wrong"]}
    assert_problem(answers[-1], 429)
    assert is_alive(jane, here)


def test_an_application_token_is_no_current_password(jane: AuthService) -> None:
    token = jane.call("POST", "/api/v1/application_tokens", user="jane", json={"application": "ci"}).get_json()

    assert_problem(change_password(jane, sign_in(jane), current=token["plain_token"]), 422, "current_password")


@pytest.mark.parametrize("new", ["short", "x" * 129], ids=["short", "long"])
def test_a_new_password_keeps_the_rules(jane: AuthService, new: str) -> None:
    assert_problem(change_password(jane, sign_in(jane), new=new), 422, "password")


@pytest.mark.parametrize("change", [{"enabled": False}, {"password": NEW}], ids=["disabled", "password"])
def test_an_administrator_ends_logins_by_disabling_or_a_new_password(jane: AuthService, change: dict[str, Any]) -> None:
    session = sign_in(jane)
    keep_refresh_token(jane)

    jane.call("PUT", f"/api/v1/users/{session['user']['id']}", user="admin", json=change)

    assert not is_alive(jane, session)
    assert kept_refresh_tokens(jane) == set()


def test_people_change_their_own_profile(jane: AuthService) -> None:
    change = {"email": "j@example.org", "display_name": "Jane D."}

    changed = jane.call("PUT", "/api/v1/users/self", user="jane", json=change)

    assert changed.status_code == 200
    assert {name: changed.get_json()[name] for name in change} == change
    assert audit_entries_of(jane, "user")[-1]["after"] == change


@pytest.mark.parametrize("name", ["admin", "auditor", "bot", "enabled", "username"])
def test_nobody_gives_themselves_more_than_a_profile(jane: AuthService, name: str) -> None:
    before = jane.call("GET", "/api/v1/users/self", user="jane").data

    assert_problem(jane.call("PUT", "/api/v1/users/self", user="jane", json={name: True}), 422, name)

    assert jane.call("GET", "/api/v1/users/self", user="jane").data == before


def test_an_address_that_somebody_has_is_refused(jane: AuthService) -> None:
    taken = jane.call("PUT", "/api/v1/users/self", user="jane", json={"email": "ADMIN@example.org"})

    assert assert_problem(taken, 422)["errors"] == {"email": ["has already been taken"]}


def test_an_auditor_changes_their_own_password(auth: AuthService) -> None:
    auth.make_user("admin", administrator=True)
    auth.make_user("jane", auditor=True)

    assert change_password(auth, sign_in(auth)).status_code == 204


def disable_oneself(auth: AuthService, user: str = "jane") -> TestResponse:
    return auth.call("PUT", "/api/v1/users/self", user=user, json={"enabled": False})


def test_people_disable_their_own_account(jane: AuthService) -> None:
    session = sign_in(jane)
    keep_refresh_token(jane)

    disabled = call(jane, session, "PUT", "/users/self", json={"enabled": False})

    assert (disabled.status_code, disabled.get_json()["enabled"]) == (200, False)
    assert not is_alive(jane, session)
    assert kept_refresh_tokens(jane) == set()
    assert jane.call("GET", "/api/v1/users/self", user="jane").status_code == 401
    assert {"enabled": False} in [entry["after"] for entry in audit_entries_of(jane, "user")]


def test_an_administrator_enables_them_again(jane: AuthService) -> None:
    user_id = disable_oneself(jane).get_json()["id"]

    jane.call("PUT", f"/api/v1/users/{user_id}", user="admin", json={"enabled": True})

    assert jane.call("GET", "/api/v1/users/self", user="jane").status_code == 200


def test_the_last_administrator_stays(jane: AuthService) -> None:
    assert_problem(disable_oneself(jane, "admin"), 422, "enabled")

    jane.make_user("second", administrator=True)

    assert disable_oneself(jane, "admin").status_code == 200
    assert_problem(disable_oneself(jane, "second"), 422, "enabled")


def test_an_administrator_sees_and_ends_sessions_of_a_person(jane: AuthService) -> None:
    first, second, other = sign_in(jane, agent="Firefox"), sign_in(jane, agent="Safari"), sign_in(jane, "admin")
    of_jane = f"/users/{first['user']['id']}/sessions"

    shown = call(jane, other, "GET", of_jane).get_json()
    (ended,) = [session["id"] for session in shown if session["user_agent"] == "Firefox"]
    assert not any(session["current"] for session in shown)

    assert call(jane, other, "DELETE", f"{of_jane}/{ended}").status_code == 204
    assert (is_alive(jane, first), is_alive(jane, second)) == (False, True)
    assert call(jane, other, "DELETE", of_jane).status_code == 204
    assert (is_alive(jane, second), is_alive(jane, other)) == (False, True)
    revoked = [entry for entry in audit_entries_of(jane, "session") if entry["action"] == "session.revoked"]
    assert [entry["user"]["name"] for entry in revoked] == ["jane", "jane"]


def test_nobody_ends_a_session_of_another_person_by_its_id(jane: AuthService) -> None:
    jane.make_user("joe")
    session, joe = sign_in(jane), sign_in(jane, "joe")
    (mine,) = listed(jane, session)

    answer = call(jane, joe, "DELETE", f"/users/{joe['user']['id']}/sessions/{mine['id']}")

    assert_problem(answer, 404)
    assert is_alive(jane, session)
