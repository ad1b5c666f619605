"""Signing in, staying signed in, signing out; and tokens that are good for one thing only."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from sqlalchemy import select

from services.auth.signing.access_tokens import AUDIENCE, TYPE
from services.auth.storage.sessions import purge_sessions
from services.auth.storage.tables import sessions
from services.auth.usecases.sessions import MAX_SESSIONS
from tests.support.auth import PASSWORD, SERVICE_ACCOUNT_SECRET, AuthFactory, AuthService, assert_problem, claims_of


@pytest.fixture
def jane(auth: AuthService) -> AuthService:
    auth.make_user("admin", administrator=True)
    auth.make_user("jane", display_name="Jane")
    return auth


def sign_in(auth: AuthService, username: str = "jane", password: str = PASSWORD) -> Any:
    return auth.client.post("/api/v1/sessions", json={"username": username, "password": password})


def refresh(auth: AuthService, token: str) -> Any:
    return auth.client.post("/api/v1/sessions/refresh", json={"refresh_token": token})


def revoke(auth: AuthService, token: str) -> Any:
    return auth.client.post("/api/v1/sessions/revoke", json={"refresh_token": token})


def with_bearer(auth: AuthService, token: str, path: str = "/api/v1/users/self") -> Any:
    return auth.client.get(path, headers={"Authorization": f"Bearer {token}"})


def jane_id(auth: AuthService) -> int:
    return int(auth.call("GET", "/api/v1/users/self", user="jane").get_json()["id"])


def test_signing_in_gives_both_tokens_and_the_person(jane: AuthService) -> None:
    response = sign_in(jane)

    body = response.get_json()
    assert response.status_code == 201
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "user"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert body["refresh_token"].startswith("portus_rt_")
    assert response.headers["Cache-Control"] == "no-store"
    assert body["user"]["namespace"]["name"] == "jane"
    assert with_bearer(jane, body["access_token"]).get_json()["username"] == "jane"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("jane", "wrong password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("portus", SERVICE_ACCOUNT_SECRET),
        ("jane", "\ud800"),
        ("portus", "\ud800"),
        ("\ud800", PASSWORD),
        ("ja\0ne", PASSWORD),
    ],
)
def test_whoever_cannot_sign_in_learns_nothing_more(jane: AuthService, username: str, password: str) -> None:
    response = sign_in(jane, username, password)

    body = assert_problem(response, 401)
    assert body["detail"] == "The name or the password is wrong."
    assert "Basic" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"username": "jane"}, 400), ({"username": "jane", "password": 1}, 422)],
)
def test_an_unusable_sign_in_says_what_is_wrong(jane: AuthService, body: dict[str, Any], status: int) -> None:
    assert_problem(jane.client.post("/api/v1/sessions", json=body), status)


def test_signing_in_is_noted_with_the_time_before(jane: AuthService) -> None:
    first = sign_in(jane).get_json()["user"]
    jane.clock.advance(hours=1)

    second = sign_in(jane).get_json()["user"]

    assert first["last_sign_in_at"] is None
    assert second["last_sign_in_at"] == first["current_sign_in_at"]
    assert second["current_sign_in_at"] == jane.clock.now.isoformat()
    assert second["updated_at"] == first["updated_at"]


def test_a_refresh_token_is_stored_as_a_hash_only(jane: AuthService) -> None:
    token = sign_in(jane).get_json()["refresh_token"]

    with jane.database.read() as connection:
        row = connection.execute(select(sessions)).one()
    assert token not in repr(row)


def test_a_refresh_gives_a_new_access_token_and_the_same_refresh_token(jane: AuthService) -> None:
    first = sign_in(jane).get_json()

    response = refresh(jane, first["refresh_token"])

    second = response.get_json()
    assert response.status_code == 200
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["user"] == first["user"]


@pytest.mark.parametrize("token", ["", "portus_rt_unknown", "\ud800", "x" * 256])
def test_an_unknown_refresh_token_is_401(jane: AuthService, token: str) -> None:
    assert_problem(refresh(jane, token), 401)


def test_an_overlong_refresh_token_is_422(jane: AuthService) -> None:
    assert_problem(refresh(jane, "x" * 257), 422)


def test_a_revoked_session_is_over_for_both_tokens(jane: AuthService) -> None:
    session, other = sign_in(jane).get_json(), sign_in(jane).get_json()

    assert revoke(jane, session["refresh_token"]).status_code == 204

    assert_problem(refresh(jane, session["refresh_token"]), 401)
    assert_problem(with_bearer(jane, session["access_token"]), 401)
    assert with_bearer(jane, other["access_token"]).status_code == 200


@pytest.mark.parametrize("token", ["portus_rt_unknown", "", "\ud800"])
def test_revoking_what_does_not_exist_succeeds(jane: AuthService, token: str) -> None:
    assert revoke(jane, token).status_code == 204


@pytest.mark.parametrize("change", [{"enabled": False}, {"password": "another password"}], ids=["disabled", "password"])
def test_disabling_or_a_new_password_ends_all_sessions(jane: AuthService, change: dict[str, Any]) -> None:
    session = sign_in(jane).get_json()

    jane.call("PUT", f"/api/v1/users/{jane_id(jane)}", user="admin", json=change)

    assert_problem(with_bearer(jane, session["access_token"]), 401)
    assert_problem(refresh(jane, session["refresh_token"]), 401)


def test_enabling_again_brings_no_old_session_back(jane: AuthService) -> None:
    session, user_id = sign_in(jane).get_json(), jane_id(jane)

    for enabled in (False, True):
        jane.call("PUT", f"/api/v1/users/{user_id}", user="admin", json={"enabled": enabled})

    assert_problem(with_bearer(jane, session["access_token"]), 401)
    assert sign_in(jane).status_code == 201


def test_a_right_that_was_taken_counts_at_once(jane: AuthService) -> None:
    jane.call("PUT", f"/api/v1/users/{jane_id(jane)}", user="admin", json={"admin": True})
    token = sign_in(jane).get_json()["access_token"]
    assert with_bearer(jane, token, "/api/v1/users").status_code == 200

    jane.call("PUT", f"/api/v1/users/{jane_id(jane)}", user="admin", json={"admin": False})

    assert_problem(with_bearer(jane, token, "/api/v1/users"), 403)


def test_a_session_lives_on_while_it_is_used(make_auth: AuthFactory) -> None:
    auth = make_auth(session_ttl=timedelta(hours=1))
    auth.make_user("jane")
    token = sign_in(auth).get_json()["refresh_token"]
    for _ in range(4):
        auth.clock.advance(minutes=45)
        assert refresh(auth, token).status_code == 200

    auth.clock.advance(minutes=61)

    assert_problem(refresh(auth, token), 401)


def test_use_is_noted_once_a_minute(jane: AuthService) -> None:
    token = sign_in(jane).get_json()["refresh_token"]
    noted = []
    for seconds in (30, 29, 1):
        jane.clock.advance(seconds=seconds)
        refresh(jane, token)
        with jane.database.read() as connection:
            noted.append(connection.execute(select(sessions.c.last_used_at)).scalar_one())

    assert noted[0] == noted[1] < noted[2] == jane.clock.now


def test_ended_sessions_are_purged(jane: AuthService) -> None:
    sign_in(jane)
    jane.clock.advance(days=15)
    sign_in(jane)

    with jane.database.write() as connection:
        assert purge_sessions(connection, now=jane.clock()) == 1
        assert len(connection.execute(select(sessions)).all()) == 1


def test_a_person_has_so_many_sessions_and_no_more(jane: AuthService) -> None:
    tokens = []
    for _ in range(MAX_SESSIONS + 1):
        tokens.append(sign_in(jane).get_json()["refresh_token"])
        jane.clock.advance(milliseconds=1)

    assert_problem(refresh(jane, tokens[0]), 401)
    assert refresh(jane, tokens[1]).status_code == 200
    assert refresh(jane, tokens[-1]).status_code == 200


def test_an_access_token_expires(jane: AuthService) -> None:
    token = sign_in(jane).get_json()["access_token"]

    with time_machine.travel(jane.clock.now + timedelta(seconds=310)):
        response = with_bearer(jane, token)

    assert_problem(response, 401)


def test_a_registry_token_opens_no_api(jane: AuthService) -> None:
    token = jane.get_token("repository:jane/a:pull", user="jane").get_json()["token"]

    assert_problem(with_bearer(jane, token), 401)


def test_an_access_token_says_nothing_that_a_registry_takes(jane: AuthService) -> None:
    token = sign_in(jane).get_json()["access_token"]

    header, claims = jwt.get_unverified_header(token), claims_of(token)
    assert claims["aud"] == AUDIENCE != jane.services.settings.registry_service
    assert header["typ"] == TYPE
    assert "x5c" not in header
    assert "access" not in claims


def forge(auth: AuthService, *, header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
    """Sign an access token as we would, with something changed; ``None`` leaves a claim out."""
    leaf, now = auth.services.keyring.current(), int(time.time())
    real = claims_of(sign_in(auth).get_json()["access_token"])
    claims = {**real, "iat": now, "exp": now + 300, **changes}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        leaf.key if key is None else key,
        algorithm="ES256",
        headers={"typ": TYPE, "kid": leaf.kid, **(header or {})},
    )


def test_the_forger_of_these_tests_forges_well(jane: AuthService) -> None:
    assert with_bearer(jane, forge(jane)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"aud": "portus-registry"}, id="another audience"),
        pytest.param({"aud": ["portus-api", "portus-registry"]}, id="several audiences"),
        pytest.param({"iss": "somebody"}, id="another issuer"),
        pytest.param({"exp": None}, id="no end"),
        pytest.param({"exp": 1}, id="ended"),
        pytest.param({"sid": None}, id="no session"),
        pytest.param({"sid": "0" * 32}, id="an unknown session"),
        pytest.param({"jti": None}, id="no id"),
        pytest.param({"header": {"typ": "JWT"}}, id="another type"),
        pytest.param({"header": {"kid": "AAAA"}}, id="an unknown key"),
        pytest.param({"key": generate_private_key(SECP256R1())}, id="another key"),
    ],
)
def test_a_forged_token_is_refused(jane: AuthService, change: dict[str, Any]) -> None:
    assert_problem(with_bearer(jane, forge(jane, **change)), 401)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_another_algorithm_is_refused(jane: AuthService, algorithm: str) -> None:
    leaf = jane.services.keyring.current()
    claims = claims_of(sign_in(jane).get_json()["access_token"])
    key = None if algorithm == "none" else leaf.x5c[0].encode()
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"typ": TYPE, "kid": leaf.kid})  # type: ignore[arg-type]

    assert_problem(with_bearer(jane, token), 401)


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer a.b.c", "Bearer x", "Token abc", "Basic x", ""])
def test_a_header_that_cannot_be_read_is_401(jane: AuthService, value: str) -> None:
    assert_problem(jane.client.get("/api/v1/users/self", headers={"Authorization": value}), 401)
