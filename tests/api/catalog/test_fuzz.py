"""Whatever is sent to the documented API, the service does not break."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.support.catalog import digest_of, push

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture
def operations(app: Flask, tell: Callable[..., None]) -> list[Any]:
    tell(push("1.0", digest_of("manifest"), 1), push("1.0", digest_of("top"), 2, repository="top"))
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    found = [result.ok() for result in schema.get_all_operations()]
    paths = app.test_client().get("/api/openapi.json").get_json()["paths"]
    assert len(found) == sum(len({*methods} - {"parameters"}) for methods in paths.values())
    return found


def test_no_request_breaks_the_service(operations: list[Any]) -> None:
    """An administrator sends generated requests to every route; no answer is a 5xx or other than documented."""
    for operation in operations:
        _send_many(operation)


def _send_many(operation: Any) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        response = case.call(headers={"Authorization": "Bearer administrator"})
        # No registry is there: what would have to ask it says so, which is no fault of ours.
        is_away = response.status_code == 503 and b"registry" in response.content
        case.validate_response(response, checks=CHECKS[1:] if is_away else CHECKS)

    send()
