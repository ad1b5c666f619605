"""Every list can be walked by key, so that its end costs what its beginning costs, and nothing is counted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.notifier.usecases.keep_dead_letters import keep_dead_letters
from services.notifier.usecases.keep_quarantined import keep_quarantined
from shared.clock import utc_now
from shared.contracts.events import RegistryNotificationQuarantined, dump_envelope, envelope_of
from shared.messaging.dead_letters import DeadLetter
from tests.support.messages import make_envelope
from tests.support.notifier import Notifier
from tests.support.walking import assert_walked_by_key, lists_of
from tests.support.webhooks import TIME, add_webhook


@pytest.fixture
def world(asked: Notifier) -> Notifier:
    """Five of everything that is listed."""
    for number in range(5):
        whole: dict[str, Any] = {"namespace_id": None, "namespace": None, "enabled": number % 2 == 0}
        add_webhook(asked.database, now=TIME + timedelta(seconds=number // 2), name=f"hook {number // 2}", **whole)
        body = json.dumps(dump_envelope(make_envelope(f"letter-{number}"))).encode()
        letter = DeadLetter(f"queue-{number % 2}", body, "odd")
        keep_dead_letters([letter], database=asked.database, clock=utc_now)
        odd = envelope_of(
            RegistryNotificationQuarantined("odd", "{}"), id=f"odd-{number}", source="registry/x", time=utc_now()
        )
        keep_quarantined([odd], database=asked.database, clock=utc_now)
    return asked


def test_every_list_is_walked_by_key(asked: Notifier) -> None:
    lists = lists_of(asked.client.get("/api/openapi.json").get_json())

    assert len(lists) >= 5
    assert [path for path, parameters in lists.items() if "after" not in parameters] == []
    # A list that gives pages, too, has to be asked for parts.
    assert [path for path, parameters in lists.items() if "page" in parameters and "by_key" not in parameters] == []


def test_the_parts_of_a_list_are_what_its_pages_are(world: Notifier) -> None:
    def get(address: str) -> TestResponse:
        return world.get(address.removeprefix("/api/v1"))

    lists = lists_of(world.client.get("/api/openapi.json").get_json())
    for path, parameters in lists.items():
        if "page" in parameters:
            assert_walked_by_key(get, path, parameters.get("sort_attr", {}).get("enum", []))


def test_what_may_be_very_long_is_walked_by_what_it_is_found_by(world: Notifier) -> None:
    """A hundred thousand letters are not sorted anew for every part."""
    for path in ("/dead-letters?by_key=true&sort_attr=died_at", "/quarantine?by_key=true&sort_attr=received_at"):
        assert world.get(path).get_json(force=True)["errors"] == {"sort_attr": ["the list is walked by key by: id"]}
