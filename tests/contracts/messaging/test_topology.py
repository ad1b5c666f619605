"""The topology command and its readiness check, with either broker."""

import socket

import pytest

from shared.config import Secret
from shared.messaging.topology import CATALOG_NOTIFICATIONS, TOPOLOGY, declare_topology, topology_fault
from tests.support.messages import count_messages
from tests.support.ports import free_port


def test_before_it_is_declared_readiness_says_what_to_do(broker_url: Secret) -> None:
    fault = topology_fault(broker_url, timeout_s=20)

    assert fault is not None
    assert "run the command 'topology'" in fault


def test_after_it_is_declared_nothing_is_wrong(broker_url: Secret) -> None:
    declare_topology(broker_url)

    assert topology_fault(broker_url, timeout_s=20) is None


def test_a_queue_that_is_missing_is_named(broker_url: Secret) -> None:
    declare_topology(broker_url, TOPOLOGY[:1])

    assert TOPOLOGY[1].name in (topology_fault(broker_url, timeout_s=20) or "")


def test_declaring_twice_keeps_what_waits(broker_url: Secret) -> None:
    declare_topology(broker_url)
    declare_topology(broker_url)

    assert count_messages(broker_url, CATALOG_NOTIFICATIONS.name) == 0


def test_every_queue_has_a_place_for_its_dead(broker_url: Secret) -> None:
    declare_topology(broker_url)

    assert [count_messages(broker_url, spec.dead_name) for spec in TOPOLOGY] == [0] * len(TOPOLOGY)


def test_a_broker_that_is_away_is_named_without_its_password() -> None:
    port = free_port()

    fault = topology_fault(Secret(f"amqp://portus:hunter2@127.0.0.1:{port}/house"))

    assert fault is not None
    assert f"127.0.0.1:{port}/house does not answer" in fault
    assert "hunter2" not in fault


def test_a_broker_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fault = topology_fault(Secret(f"amqp://portus:secret@127.0.0.1:{silent.getsockname()[1]}/"), timeout_s=0.1)

    assert "did not answer in time" in (fault or "")


@pytest.mark.parametrize("path", ["/proc/no-such-folder/broker.db"])
def test_a_file_that_cannot_be_made_is_named(path: str) -> None:
    assert path in (topology_fault(Secret(f"sqlite:///{path}")) or "")
