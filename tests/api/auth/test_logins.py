"""Logins to the registry that last: a refresh token, bound to what it was got with."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.domain.secrets import SecretKind, kind_of
from services.auth.domain.subjects import INTERNAL_USERNAME
from services.auth.storage.tables import application_tokens, refresh_tokens, robot_secrets
from services.auth.usecases import logins
from services.auth.usecases.authenticate import PasswordCredentials
from services.auth.usecases.logins import LoginKeeper, open_login
from shared.config import Secret
from tests.support.auth import (
    PASSWORD,
    SERVICE,
    SERVICE_ACCOUNT_SECRET,
    AuthFactory,
    AuthService,
    access_of,
    claims_of,
)
from tests.support.machines import make_robot, make_token
from tests.support.statements import statements

OFFLINE = {"offline_token": "true", "client_id": "docker"}
SCOPE = "repository:jane/app:pull,push"


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    auth = make_auth()
    auth.make_user("jane")
    auth.make_user("root", administrator=True)
    return auth


def log_in(auth: AuthService, *, user: str = "jane", **options: Any) -> str:
    """Log in as docker does and return the refresh token."""
    token = auth.get_token(user=user, query=OFFLINE, **options).get_json()["refresh_token"]
    assert kind_of(token) is SecretKind.REFRESH_TOKEN
    return str(token)


def refresh(auth: AuthService, token: str, *, scope: str = SCOPE, service: str = SERVICE) -> TestResponse:
    form = {"grant_type": "refresh_token", "refresh_token": token, "service": service, "scope": scope}
    return auth.client.post("/v2/token", data={**form, "client_id": "docker"})


def assert_over(response: TestResponse) -> None:
    assert response.status_code == 400
    body = response.get_json()
    assert body["error"] == "invalid_grant"
    assert body["errors"][0]["message"] == body["error_description"]


def rows(auth: AuthService) -> int:
    with auth.database.read() as connection:
        return len(connection.execute(refresh_tokens.select()).all())


def test_a_login_brings_a_token_that_gets_tokens(auth: AuthService) -> None:
    token = log_in(auth)

    response = refresh(auth, token)

    body = response.get_json()
    assert response.status_code == 200
    assert access_of(body["access_token"]) == [SCOPE]
    assert claims_of(body["access_token"])["sub"] == "jane"
    assert response.headers["Cache-Control"] == "no-store"


def test_the_token_stays_the_same(auth: AuthService) -> None:
    """Token specification: clients may use it at the same moment, and some never look at another one."""
    token = log_in(auth)

    assert refresh(auth, token).get_json()["refresh_token"] == token
    assert refresh(auth, token).get_json()["refresh_token"] == token
    assert rows(auth) == 1


def test_a_post_may_ask_for_it_too(auth: AuthService) -> None:
    form = {"grant_type": "password", "username": "jane", "password": PASSWORD, "service": SERVICE}

    plain = auth.client.post("/v2/token", data=form).get_json()
    offline = auth.client.post("/v2/token", data={**form, "access_type": "offline"}).get_json()

    assert "refresh_token" not in plain
    assert refresh(auth, offline["refresh_token"]).status_code == 200


@pytest.mark.parametrize("value", ["false", "1", "TRUE", ""])
def test_only_true_asks_for_it(auth: AuthService, value: str) -> None:
    assert "refresh_token" not in auth.get_token(user="jane", query={"offline_token": value}).get_json()


def test_what_is_kept_is_no_token(auth: AuthService) -> None:
    token = log_in(auth)

    with auth.database.read() as connection:
        (row,) = connection.execute(refresh_tokens.select()).all()
    assert token not in str(row)
    assert (row.client_id, row.address) == ("docker", "127.0.0.1")


def test_anonymous_callers_and_portus_itself_get_none(auth: AuthService) -> None:
    anonymous = auth.get_token(query=OFFLINE)
    internal = auth.get_token(user=INTERNAL_USERNAME, password=SERVICE_ACCOUNT_SECRET, query=OFFLINE)

    assert "refresh_token" not in anonymous.get_json() | internal.get_json()
    assert rows(auth) == 0


def test_a_registry_of_another_name_gives_none(auth: AuthService) -> None:
    assert "refresh_token" not in auth.get_token(user="jane", service="another", query=OFFLINE).get_json()


def test_it_is_good_for_one_registry(auth: AuthService) -> None:
    assert_over(refresh(auth, log_in(auth), service="another"))


def test_it_is_good_for_the_registry_only(auth: AuthService) -> None:
    token = log_in(auth)

    assert auth.get_token(user="jane", password=token).status_code == 401
    assert auth.client.post("/api/v1/sessions/refresh", json={"refresh_token": token}).status_code == 401
    assert auth.client.get("/api/v1/users/self", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "portus_rr_" + "a" * 49, "\0", "ü" * 60])
def test_what_is_no_token_is_refused(auth: AuthService, token: str) -> None:
    assert_over(refresh(auth, token))


def test_podman_and_its_like_are_told_in_a_401(auth: AuthService) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "service": SERVICE}

    response = auth.client.post("/v2/token", data=form, headers={"User-Agent": "skopeo/1.9.3"})

    assert response.status_code == 401
    assert "The login is over" in response.get_json()["errors"][0]["message"]


def test_buildkit_shows_it_as_a_password_without_a_name(auth: AuthService) -> None:
    token = log_in(auth)

    response = auth.get_token("repository:jane/app:pull", user="", password=token)

    assert access_of(response.get_json()["token"]) == ["repository:jane/app:pull"]
    assert auth.call("GET", "/api/v1/users/self", user="", password=token).status_code == 401


def test_a_client_that_shows_no_password_is_not_counted(auth: AuthService) -> None:
    """docker's configuration holds ``name:`` beside a refresh token, and not every client knows the latter."""
    for _ in range(70):
        assert auth.get_token(user="jane", password="").status_code == 401
        auth.clock.advance(seconds=61)

    assert auth.get_token(user="jane").status_code == 200


def test_it_ends_when_it_is_not_used(make_auth: AuthFactory) -> None:
    auth = make_auth(refresh_token_ttl=timedelta(hours=1))
    auth.make_user("jane")
    token = log_in(auth)

    auth.clock.advance(minutes=59)
    assert refresh(auth, token).status_code == 200
    auth.write_notes()
    auth.clock.advance(minutes=59)
    assert refresh(auth, token).status_code == 200
    auth.clock.advance(minutes=60)

    assert_over(refresh(auth, token))


def test_a_busy_robot_keeps_each_of_its_logins_alive(make_auth: AuthFactory) -> None:
    """A login's use is its own, however often the robot is used elsewhere."""
    auth = make_auth(refresh_token_ttl=timedelta(hours=1))
    robot = make_robot(auth)
    token = log_in(auth, user=robot.username, password=robot.secret)
    for _ in range(3):
        auth.clock.advance(minutes=40)
        auth.get_token(user=robot.username, password=robot.secret)
        assert refresh(auth, token, scope="").status_code == 200
        auth.write_notes()

    assert refresh(auth, token, scope="").status_code == 200


@pytest.mark.parametrize("change", [{"password": "another password"}, {"enabled": False}], ids=["password", "disabled"])
def test_it_ends_with_a_new_password_and_with_disabling(auth: AuthService, change: dict[str, Any]) -> None:
    of_password, by_token = log_in(auth), make_token(auth, auth.make_user("kim"))
    user_id = auth.call("GET", "/api/v1/users/self", user="jane").get_json()["id"]
    of_another = log_in(auth, user="kim", password=by_token.secret)

    assert auth.call("PUT", f"/api/v1/users/{user_id}", user="root", json=change).status_code == 200
    auth.call("PUT", f"/api/v1/users/{user_id}", user="root", json={"enabled": True})

    assert_over(refresh(auth, of_password))
    assert refresh(auth, of_another, scope="").status_code == 200


def test_it_ends_with_the_application_token(auth: AuthService) -> None:
    machine = make_token(auth, auth.make_user("kim"))
    token, other = log_in(auth, user="kim", password=machine.secret), log_in(auth, user="kim")

    with auth.database.write() as connection:
        connection.execute(application_tokens.delete())

    assert_over(refresh(auth, token))
    assert refresh(auth, other, scope="").status_code == 200


def test_it_carries_no_more_than_the_application_token(auth: AuthService) -> None:
    machine = make_token(auth, auth.make_user("kim"), actions="pull")
    token = log_in(auth, user="kim", password=machine.secret)

    assert refresh(auth, token, scope="repository:kim/app:push").get_json()["error"] == "invalid_scope"
    assert refresh(auth, token, scope="repository:kim/app:pull").status_code == 200


def test_it_ends_with_the_robots_secret(auth: AuthService) -> None:
    robot = make_robot(auth)
    token = log_in(auth, user=robot.username, password=robot.secret)
    assert refresh(auth, token, scope="").status_code == 200

    with auth.database.write() as connection:
        connection.execute(robot_secrets.delete())

    assert_over(refresh(auth, token, scope=""))


def test_a_robot_may_come_from_its_networks_only(auth: AuthService) -> None:
    robot = make_robot(auth, allowed_addresses=["127.0.0.0/8"])
    token = log_in(auth, user=robot.username, password=robot.secret)
    form = {"grant_type": "refresh_token", "refresh_token": token, "service": SERVICE}

    away = auth.client.post("/v2/token", data=form, environ_base={"REMOTE_ADDR": "192.0.2.9"})

    assert_over(away)


def test_a_login_by_password_ends_where_passwords_are_not_taken(make_auth: AuthFactory) -> None:
    auth, strict = make_auth(), make_auth(registry_tokens_only=True)
    machine = make_token(auth, auth.make_user("jane"))
    by_password, by_token = log_in(auth), log_in(auth, password=machine.secret)

    assert_over(refresh(strict, by_password))
    assert refresh(strict, by_token).status_code == 200


def test_a_login_costs_one_write_and_its_use_one_read(auth: AuthService) -> None:
    auth.get_token(user="jane")
    with statements() as seen:
        token = log_in(auth)
    assert [statement.split()[0] for statement in seen] == ["SELECT", "SELECT", "INSERT", "DELETE"]

    with statements() as seen:
        refresh(auth, token)
    assert [statement.split()[0] for statement in seen] == ["SELECT"]


def test_the_longest_unused_login_makes_room(auth: AuthService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "MAX_LOGINS", 2)
    tokens = []
    for _ in range(3):
        tokens.append(log_in(auth))
        auth.clock.advance(seconds=61)
        if len(tokens) == 2:
            refresh(auth, tokens[0])
            auth.write_notes()

    assert [refresh(auth, token).status_code for token in tokens] == [200, 400, 200]


def test_a_password_that_changes_meanwhile_leaves_no_login(auth: AuthService) -> None:
    caller = auth.services.authenticator.authenticate(PasswordCredentials("jane", Secret(PASSWORD)), address="x")
    user_id = caller.subject.user_id
    auth.clock.advance(seconds=1)
    auth.call("PUT", f"/api/v1/users/{user_id}", user="root", json={"password": "another password"})
    keeper = LoginKeeper(auth.database, auth.clock, timedelta(days=1))

    with pytest.raises(Exception, match="name or the password"):
        open_login(caller, registry_id=1, client_id="", address="x", keeper=keeper)

    assert rows(auth) == 0


def test_an_application_token_that_goes_meanwhile_leaves_no_login(auth: AuthService) -> None:
    machine = make_token(auth, auth.make_user("kim"))
    credentials = PasswordCredentials("kim", Secret(machine.secret))
    caller = auth.services.authenticator.authenticate(credentials, address="x")
    with auth.database.write() as connection:
        connection.execute(application_tokens.delete())
    keeper = LoginKeeper(auth.database, auth.clock, timedelta(days=1))

    with pytest.raises(Exception, match="name or the password"):
        open_login(caller, registry_id=1, client_id="", address="x", keeper=keeper)


def test_one_sees_and_ends_ones_own(auth: AuthService) -> None:
    machine = make_token(auth, auth.make_user("kim"), name="laptop")
    token = log_in(auth, user="kim", password=machine.secret)
    log_in(auth)

    (shown,) = auth.call("GET", "/api/v1/logins", user="kim").get_json()
    gone = auth.call("DELETE", f"/api/v1/logins/{shown['id']}", user="kim")

    assert (shown["credential"], shown["application"], shown["client_id"]) == ("application token", "laptop", "docker")
    assert (shown["service"], shown["address"], shown["user"]["username"]) == (SERVICE, "127.0.0.1", "kim")
    assert token not in str(shown)
    assert gone.status_code == 204
    assert_over(refresh(auth, token))
    assert auth.call("GET", "/api/v1/logins", user="kim").get_json() == []
    (entry,) = auth.call("GET", "/api/v1/audit?action=login.revoked", user="root").get_json()
    assert entry["actor"] == "kim"


def test_what_has_ended_is_not_listed(auth: AuthService) -> None:
    log_in(auth)
    auth.clock.advance(days=30)

    assert auth.call("GET", "/api/v1/logins", user="jane").get_json() == []


def test_a_login_is_recorded_like_any(auth: AuthService) -> None:
    token = log_in(auth)
    auth.clock.advance(seconds=1)
    refresh(auth, token)
    auth.write_notes()

    used, opened = auth.call("GET", "/api/v1/decisions", user="root").get_json()

    assert (opened["verdict"], used["verdict"]) == ("login", "granted")
    assert used["credential"]["kind"] == "password"


def test_many_logins_at_once_all_stay(auth: AuthService) -> None:
    auth.get_token(user="jane")
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(log_in(auth))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [refresh(auth, token).status_code for token in tokens] == [200] * 4


def test_nobody_else_may_end_it(auth: AuthService) -> None:
    log_in(auth)
    auth.make_user("kim")
    (shown,) = auth.call("GET", "/api/v1/logins", user="jane").get_json()

    assert auth.call("DELETE", f"/api/v1/logins/{shown['id']}", user="kim").status_code == 404
    assert auth.call("DELETE", f"/api/v1/logins/{shown['id']}", user="root").status_code == 204
