"""What runs here, and whether its parts work."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.settings import Settings, load_settings
from services.auth.storage.tables import users
from shared.config import Secret
from tests.conftest import RegistryFactory
from tests.support.auth import INTERNAL_SECRET, SERVICE_ACCOUNT_SECRET, AuthFactory, AuthService, assert_problem
from tests.support.little_registry import VERSION_HEADER, little_registry
from tests.support.ports import free_port
from tests.support.serving import serving


def health(auth: AuthService) -> TestResponse:
    return auth.client.get("/api/v1/health")


def test_case_142_a_ping_needs_no_credentials(auth: AuthService) -> None:
    assert auth.client.get("/api/v1/_ping").status_code == 200


def test_case_142_the_version_needs_credentials(auth: AuthService) -> None:
    auth.make_user("jane")

    assert_problem(auth.client.get("/api/version"), 401)
    answer = auth.call("GET", "/api/version", user="jane").get_json()
    assert answer == {"api-versions": ["v1"], "git": None, "version": "0.1.0"}


def test_the_version_tells_what_it_was_built_from(make_auth: AuthFactory) -> None:
    auth = make_auth(git={"branch": "main", "commit": "abc"})
    auth.make_user("jane")

    assert auth.call("GET", "/api/version", user="jane").get_json()["git"] == {"branch": "main", "commit": "abc"}


@pytest.mark.parametrize("status", [200, 401])
def test_case_143_all_is_well(make_auth: AuthFactory, status: int) -> None:
    with serving(little_registry(status)[0]) as url:
        answer = health(make_auth(registry_url=url))

    assert answer.status_code == 200
    assert answer.get_json() == {
        "database": {"msg": "the database is up-to-date", "success": True},
        "registry": {"msg": "the registry is reachable", "success": True},
    }


def test_a_real_registry_is_well(make_auth: AuthFactory, registry_factory: RegistryFactory) -> None:
    assert health(make_auth(registry_url=registry_factory().url)).status_code == 200


def test_case_143_a_registry_that_nobody_answers_for_is_told(make_auth: AuthFactory) -> None:
    answer = health(make_auth(registry_url=f"http://127.0.0.1:{free_port()}"))

    body = answer.get_json()
    assert (answer.status_code, body["database"]["success"], body["registry"]["success"]) == (503, True, False)
    assert "connection refused" in body["registry"]["msg"]


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [(500, VERSION_HEADER, "answers 500"), (503, VERSION_HEADER, "answers 503"), (200, {}, "no registry")],
)
def test_what_answers_must_be_a_registry(
    make_auth: AuthFactory, status: int, headers: dict[str, str], words: str
) -> None:
    with serving(little_registry(status, headers)[0]) as url:
        answer = health(make_auth(registry_url=url))

    assert answer.status_code == 503
    assert words in answer.get_json()["registry"]["msg"]


def test_a_database_without_its_schema_is_told(make_auth: AuthFactory) -> None:
    auth = make_auth()
    with auth.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    answer = health(auth)

    assert answer.status_code == 503
    assert "migrate" in answer.get_json()["database"]["msg"]


def test_an_anonymous_crowd_costs_no_more_than_one(make_auth: AuthFactory) -> None:
    """W6: Portus started a process for every call, and anybody could exhaust the host."""
    app, asked = little_registry()
    with serving(app) as url:
        auth = make_auth(registry_url=url)
        answers = [health(auth) for _ in range(200)]

    assert {answer.status_code for answer in answers} == {200}
    # A crowd that takes longer than a report is good for sees the next one.
    assert len(asked) < len(answers) / 10


def test_a_wrong_password_makes_no_difference_to_what_is_open(auth: AuthService) -> None:
    answer = auth.call("GET", "/api/v1/_ping", user="nobody")

    assert (answer.status_code, auth.hasher.checks) == (200, 0)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    def load(**variables: str) -> Settings:
        monkeypatch.setenv("PORTUS_INTERNAL_SECRET", INTERNAL_SECRET)
        monkeypatch.setenv("PORTUS_SERVICE_ACCOUNT_SECRET", SERVICE_ACCOUNT_SECRET)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load


def shown(auth: AuthService, settings: Settings) -> dict[str, Any]:
    response = auth.call("GET", "/api/v1/settings", user="root")
    assert response.status_code == 200
    assert not any(secret in response.text for secret in secrets_of(settings))
    return {setting["name"]: setting for setting in response.get_json()}


def secrets_of(settings: Settings) -> list[str]:
    values = (getattr(settings, field.name) for field in dataclasses.fields(settings))
    return [value.reveal() for value in values if isinstance(value, Secret)]


def test_administrators_see_what_holds_and_no_secret(make_auth: AuthFactory, loaded: Callable[..., Settings]) -> None:
    settings = loaded(
        PORTUS_TOKEN_TTL_S="600",
        PORTUS_BROKER_URL="amqp://portus:hunter2@localhost/portus",
        PORTUS_FIRST_USER_ADMIN_ENABLED="false",
    )
    auth = make_auth(effective=settings.effective)
    auth.make_user("root", administrator=True)

    found = shown(auth, settings)

    plain = {"source": "environment", "old_name": None}
    assert found["PORTUS_TOKEN_TTL_S"] == {"name": "PORTUS_TOKEN_TTL_S", "value": 600, **plain}
    assert found["PORTUS_BROKER_URL"] == {"name": "PORTUS_BROKER_URL", "value": "***", **plain}
    assert found["PORTUS_INTERNAL_SECRET"]["value"] == "***"
    assert (found["PORTUS_ISSUER"]["value"], found["PORTUS_ISSUER"]["source"]) == ("portus", "default")
    assert found["PORTUS_FIRST_USER_ADMIN"]["value"] is False
    assert found["PORTUS_FIRST_USER_ADMIN"]["old_name"] == "PORTUS_FIRST_USER_ADMIN_ENABLED"


def test_auditors_see_the_settings_and_others_do_not(auth: AuthService) -> None:
    auth.make_user("jane")
    audrey = auth.make_user("audrey")
    with auth.database.write() as connection:
        connection.execute(users.update().where(users.c.id == audrey.id).values(auditor=True))

    assert auth.call("GET", "/api/v1/settings", user="audrey").status_code == 200
    assert_problem(auth.call("GET", "/api/v1/settings", user="jane"), 403)
