"""The committed document is valid, current, and honest about errors."""

from typing import Any

import pytest

from tests.support.auth import AuthFactory
from tests.support.openapi import assert_document_is_committed


@pytest.fixture
def document(make_auth: AuthFactory) -> dict[str, Any]:
    return assert_document_is_committed(make_auth().app, "auth.openapi.json")


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/test.db"


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_errors_are_documented_as_problems(document: dict[str, Any]) -> None:
    errors = {name: body for name, body in document["components"]["responses"].items() if "content" in body}

    assert errors
    assert all(list(body["content"]) == ["application/problem+json"] for body in errors.values())


def test_every_route_of_the_contract_is_documented(document: dict[str, Any]) -> None:
    documented = {f"{verb.upper()} {path}" for path, verbs in document["paths"].items() for verb in verbs}

    assert documented >= {
        "GET /v2/token",
        "POST /v2/token",
        "GET /api/v1/setup",
        "POST /api/v1/users/bootstrap",
        "POST /api/v1/sessions",
        "POST /api/v1/sessions/refresh",
        "POST /api/v1/sessions/revoke",
        "GET /api/v1/users/self",
        "GET /api/v1/users",
        "POST /api/v1/users",
        "GET /api/v1/users/{user_id}",
        "PUT /api/v1/users/{user_id}",
        "GET /api/v1/grants",
        "POST /api/v1/grants",
        "GET /api/v1/grants/{grant_id}",
        "PUT /api/v1/grants/{grant_id}",
        "DELETE /api/v1/grants/{grant_id}",
        "GET /api/v1/namespaces/{namespace_id}/grants",
        "POST /api/v1/namespaces/{namespace_id}/grants",
        "GET /api/v1/robots",
        "POST /api/v1/robots",
        "GET /api/v1/robots/{robot_id}",
        "PUT /api/v1/robots/{robot_id}",
        "DELETE /api/v1/robots/{robot_id}",
        "POST /api/v1/robots/{robot_id}/secrets",
        "GET /api/v1/robots/{robot_id}/secrets/{secret_id}",
        "DELETE /api/v1/robots/{robot_id}/secrets/{secret_id}",
        "GET /api/v1/roles",
        "POST /api/v1/roles",
        "GET /api/v1/roles/{role_id}",
        "PUT /api/v1/roles/{role_id}",
        "DELETE /api/v1/roles/{role_id}",
        "GET /api/v1/application_tokens",
        "POST /api/v1/application_tokens",
        "GET /api/v1/application_tokens/{token_id}",
        "DELETE /api/v1/application_tokens/{token_id}",
        "GET /api/v1/users/{user_id}/application_tokens",
        "POST /api/v1/users/{user_id}/application_tokens",
        "GET /api/v1/users/application_tokens/{token_id}",
        "DELETE /api/v1/users/application_tokens/{token_id}",
        "GET /api/v1/teams",
        "POST /api/v1/teams",
        "GET /api/v1/teams/{team_id}",
        "GET /api/v1/teams/{team_id}/members",
        "POST /api/v1/teams/{team_id}/members",
        "PUT /api/v1/teams/{team_id}/members/{member_id}",
        "DELETE /api/v1/teams/{team_id}/members/{member_id}",
        "GET /api/v1/namespaces",
        "POST /api/v1/namespaces",
        "GET /api/v1/namespaces/{namespace_id}",
        "PUT /api/v1/namespaces/{namespace_id}",
    }
