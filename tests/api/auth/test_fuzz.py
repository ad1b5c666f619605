"""Whatever is sent to the documented API, the service does not break."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.auth import AuthFactory, basic
from tests.support.little_registry import little_registry
from tests.support.serving import serving

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def registry_url() -> Iterator[str]:
    with serving(little_registry()[0]) as url:
        yield url


@pytest.fixture
def operations(make_auth: AuthFactory, registry_url: str) -> list[Any]:
    # A registry that is away is a 503 of the health report, and no fault of ours.
    auth = make_auth(registry_url=registry_url)
    auth.make_team(owner=auth.make_user("admin", administrator=True))
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", auth.app)
    found = [result.ok() for result in schema.get_all_operations()]
    paths = auth.client.get("/api/openapi.json").get_json()["paths"]
    assert len(found) == sum(len({*methods} - {"parameters"}) for methods in paths.values())
    return found


def test_no_request_breaks_the_service(operations: list[Any]) -> None:
    """An administrator sends generated requests to every route; no answer is a 5xx or other than documented."""
    for operation in operations:
        _send_many(operation)


def _send_many(operation: Any) -> None:
    @settings(max_examples=20, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(headers=basic("admin"), checks=CHECKS)

    send()
