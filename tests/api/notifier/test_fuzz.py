"""Whatever is sent to the documented API, the service does not break."""

import json
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

from services.notifier.usecases.keep_dead_letters import keep_dead_letters
from services.notifier.usecases.record_events import record_events
from shared.clock import utc_now
from shared.messaging.dead_letters import DeadLetter
from tests.api.notifier.test_quarantine import keep
from tests.support.messages import make_envelope
from tests.support.notifier import PATH, Notifier
from tests.support.registry_events import make_event
from tests.support.webhooks import add_webhook, record, tag_event

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.fixture
def operations(asked: Notifier) -> list[Any]:
    """Every documented operation but the registry's door, which has tests of its own."""
    keep(asked, json.dumps(make_event()), "{")
    keep_dead_letters([DeadLetter("catalog.notifications", b"{}", "odd")], database=asked.database, clock=utc_now)
    record_events([make_envelope("a", repository="team/app")], database=asked.database, clock=utc_now)
    hook = add_webhook(asked.database, namespace_id=None, namespace=None)
    record(asked.database, tag_event("b"))
    assert hook == 1
    schema: Any = schemathesis.openapi.from_wsgi("/api/openapi.json", asked.app)
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.path != PATH]


def test_no_request_breaks_the_service(operations: list[Any]) -> None:
    """An administrator sends generated requests to every route; no answer is a 5xx or other than documented."""
    assert len(operations) == 26
    for operation in operations:
        _send_many(operation)


def _send_many(operation: Any) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": "Bearer administrator"}, checks=CHECKS)

    send()
