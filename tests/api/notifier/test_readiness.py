"""When the notifier may be sent events."""

import re
from pathlib import Path

from shared.config import Secret
from shared.messaging.topology import declare_topology
from tests.api.notifier.conftest import NotifierFactory
from tests.support.notifier import Notifier
from tests.support.openapi import assert_document_is_committed
from tests.support.registry_events import make_event
from tests.support.waiting import wait_until


def faults(notifier: Notifier) -> dict[str, str]:
    answer = notifier.client.get("/readyz")
    assert answer.json
    assert answer.status_code == (503 if answer.json["faults"] else 200)
    found: dict[str, str] = answer.json["faults"]
    return found


def test_with_everything_in_place_it_is_ready(notifier: Notifier) -> None:
    assert faults(notifier) == {}


def test_a_database_without_tables_says_what_to_run(make_notifier: NotifierFactory, broker: Secret) -> None:
    found = faults(make_notifier(broker, migrated=False))

    assert list(found) == ["database"]
    assert "run 'migrate'" in found["database"]


def test_a_broker_without_queues_says_what_to_run(make_notifier: NotifierFactory, tmp_path: Path) -> None:
    found = faults(make_notifier(Secret(f"sqlite:///{tmp_path / 'undeclared.db'}")))

    assert list(found) == ["broker"]
    assert "run the command 'topology'" in found["broker"]


def test_rabbitmq_without_queues_is_a_fault_too(make_notifier: NotifierFactory, rabbitmq_url: Secret) -> None:
    notifier = make_notifier(rabbitmq_url)
    # A broker that is slow to answer counts as away, and that is no fault.
    wait_until(lambda: list(faults(notifier)) == ["broker"], what="the missing queues are noticed")

    declare_topology(rabbitmq_url)
    wait_until(lambda: faults(notifier) == {}, what="the notifier is ready")


def test_a_broker_that_is_away_turns_nobody_away(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    """Promise: the spool stands in, so no load balancer may take the notifier out because of the broker."""
    assert faults(make_notifier(broker_away)) == {}


def test_a_full_spool_is_a_fault(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    notifier = make_notifier(broker_away, spool_max_events=1)
    notifier.post_events(make_event())

    found = faults(notifier)

    assert list(found) == ["spool"]
    assert "PORTUS_SPOOL_MAX_EVENTS" in found["spool"]


def test_the_document_of_the_api_is_committed(notifier: Notifier) -> None:
    document = assert_document_is_committed(notifier.app, "notifier.openapi.json")

    routes = {rule.rule for rule in notifier.app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert {re.sub("<[^>]*?(\\w+)>", r"{\1}", route) for route in routes} | {"/v2/webhooks/events"} == set(
        document["paths"]
    )
