"""The token endpoint: how it refuses, in the form that each verb's clients read."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from services.auth.api.token import MAX_FORM_BYTES
from shared.oci.scopes import MAX_SCOPES
from tests.support.auth import PASSWORD, SERVICE, AuthFactory, AuthService, TestClock, access_of, basic

WRONG = "not the password"


@pytest.fixture
def jane(auth: AuthService) -> AuthService:
    auth.make_user("jane")
    return auth


def post_token(auth: AuthService, **form: str) -> TestResponse:
    fields = {"grant_type": "password", "username": "jane", "password": PASSWORD, "service": SERVICE} | form
    return auth.client.post("/v2/token", data={name: value for name, value in fields.items() if value})


def registry_error(response: TestResponse) -> tuple[str, str]:
    """Read the one error of a registry's error body."""
    assert response.content_type == "application/json"
    (error,) = response.get_json()["errors"]
    return error["code"], error["message"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(basic("jane", WRONG), id="wrong password"),
        pytest.param(basic("jane", ""), id="empty password"),
        pytest.param(basic("nobody", PASSWORD), id="unknown name"),
        pytest.param(basic("", ""), id="empty name"),
        pytest.param(basic("ja\0ne", PASSWORD), id="a name no database takes"),
        pytest.param(basic("x" * 5000, PASSWORD), id="an endless name"),
        pytest.param({"Authorization": "Basic !!!"}, id="not base64"),
        pytest.param({"Authorization": "Basic /w=="}, id="not UTF-8"),
        pytest.param({"Authorization": "Basic amFuZQ=="}, id="no colon"),
        pytest.param({"Authorization": "Basic"}, id="nothing after the scheme"),
        pytest.param({"Authorization": "Bearer abc"}, id="another scheme"),
        pytest.param({"Authorization": ""}, id="an empty header"),
    ],
)
def test_bad_credentials_are_401_with_a_challenge(jane: AuthService, headers: dict[str, str]) -> None:
    response = jane.client.get(f"/v2/token?service={SERVICE}&scope=repository:busybox:pull", headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == f'Basic realm="{SERVICE}"'
    assert registry_error(response)[0] == "UNAUTHORIZED"


def test_a_wrong_password_and_an_unknown_name_are_told_alike(jane: AuthService) -> None:
    answers = [jane.get_token(user=user, password=WRONG).get_json() for user in ("jane", "nobody")]

    assert answers[0] == answers[1]


def test_a_disabled_person_is_out_at_once(auth: AuthService) -> None:
    auth.make_user("admin", administrator=True)
    jane = auth.make_user("jane")
    assert auth.get_token(user="jane").status_code == 200

    auth.call("PUT", f"/api/v1/users/{jane.id}", user="admin", json={"enabled": False})

    assert auth.get_token(user="jane").status_code == 401


def test_a_changed_password_counts_at_once(auth: AuthService) -> None:
    auth.make_user("admin", administrator=True)
    jane = auth.make_user("jane")
    auth.get_token(user="jane")

    auth.call("PUT", f"/api/v1/users/{jane.id}", user="admin", json={"password": "another password"})

    assert auth.get_token(user="jane").status_code == 401
    assert auth.get_token(user="jane", password="another password").status_code == 200


@pytest.mark.parametrize(
    ("scope", "word"),
    [
        ("whale:a/b:pull", "whale"),
        ("repository:a/b", "type:name:actions"),
        ("repository:A/B:pull", "not a repository name"),
        ("repository:a/../b:pull", "not a repository name"),
        (" ".join(f"repository:a/b{number}:pull" for number in range(MAX_SCOPES + 1)), "at most 100"),
    ],
)
def test_a_scope_that_cannot_be_understood_is_401_and_says_why(jane: AuthService, scope: str, word: str) -> None:
    got = jane.get_token(scope, user="jane")
    posted = post_token(jane, scope=scope)

    assert got.status_code == 401
    assert registry_error(got)[0] == "DENIED"
    assert word in registry_error(got)[1]
    assert posted.status_code == 400
    assert posted.get_json()["error"] == "invalid_scope"
    assert word in posted.get_json()["error_description"]


def test_the_password_grant_answers_an_oauth_form(jane: AuthService) -> None:
    response = post_token(jane, scope="repository:jane/a:pull,push repository:no/x:pull")

    body = response.get_json()
    assert response.status_code == 200
    assert set(body) == {"access_token", "token_type", "scope", "expires_in", "issued_at"}
    assert body["scope"] == "repository:jane/a:pull,push"
    assert body["expires_in"] == 900
    assert access_of(body["access_token"]) == ["repository:jane/a:pull,push"]
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        pytest.param({"grant_type": ""}, "invalid_request", id="no grant type"),
        pytest.param({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", id="no refresh token"),
        pytest.param({"grant_type": "refresh_token"}, "invalid_request", id="refresh without a token"),
        pytest.param({"grant_type": "client_credentials"}, "unsupported_grant_type", id="client credentials"),
        pytest.param({"username": ""}, "invalid_request", id="no username"),
        pytest.param({"password": ""}, "invalid_request", id="no password"),
        pytest.param({"password": WRONG}, "invalid_grant", id="wrong password"),
        pytest.param({"username": "nobody"}, "invalid_grant", id="unknown name"),
    ],
)
def test_a_refused_form_is_told_as_oauth_wants_it(jane: AuthService, form: dict[str, str], error: str) -> None:
    """400 and not 401: BuildKit would ask a second time by GET."""
    response = post_token(jane, **form)

    assert response.status_code == 400
    assert response.get_json()["error"] == error
    assert response.get_json()["error_description"].isascii()


def test_a_form_in_another_type_is_told_what_is_missing(jane: AuthService) -> None:
    response = jane.client.post("/v2/token", json={"grant_type": "password"})

    assert response.status_code == 400
    assert "form" in response.get_json()["error_description"]


def test_an_oversized_form_is_413(jane: AuthService) -> None:
    response = post_token(jane, scope="x" * (MAX_FORM_BYTES + 1))

    assert response.status_code == 413
    assert response.get_json()["error"] == "invalid_request"


def test_an_error_description_holds_only_what_oauth_allows(jane: AuthService) -> None:
    description = post_token(jane, scope='re"po\\sitö:a:pull').get_json()["error_description"]

    assert not set('"\\ö') & set(description)


def test_ping_tells_whether_a_password_is_good(jane: AuthService) -> None:
    assert jane.client.get("/v2/", headers=basic("jane")).status_code == 200
    assert jane.client.get("/v2/", headers=basic("jane", WRONG)).status_code == 401
    assert jane.client.get("/v2/").headers["WWW-Authenticate"].startswith("Basic")


def test_another_name_for_the_registry_is_logged_with_both_names(auth: AuthService) -> None:
    with capture_logs() as lines:
        auth.get_token("repository:a/b:pull", service="my-registry")

    (line,) = [line for line in lines if line["event"] == "token.unknown_service"]
    assert line["registry_auth_token_service"] == "my-registry"
    assert line["portus_registry_service"] == SERVICE
    assert "auth.token.service" in line["hint"]
    assert "PORTUS_REGISTRY_SERVICE" in line["hint"]


def test_a_name_from_outside_cannot_flood_or_forge_the_log(auth: AuthService) -> None:
    with capture_logs() as lines:
        for number in range(100):
            auth.get_token(service=f"x\n{number}" + "y" * 1000)
            auth.get_token(service="x\n0" + "y" * 1000)

    names = [line["registry_auth_token_service"] for line in lines if line["event"] == "token.unknown_service"]
    assert len(names) == len(set(names)) == 20
    assert all(len(name) < 200 and "\n" not in name for name in names)


def test_another_name_is_logged_again_after_a_while(make_auth: AuthFactory) -> None:
    clock = TestClock(datetime.now(UTC) - timedelta(hours=1))
    auth = make_auth(clock=clock)
    with capture_logs() as lines:
        for _ in range(3):
            auth.get_token(service="my-registry")
            clock.advance(seconds=61)

    assert len([line for line in lines if line["event"] == "token.unknown_service"]) == 3
