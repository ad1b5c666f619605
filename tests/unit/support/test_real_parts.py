"""The private servers of the test suite keep their promises."""

from collections.abc import Callable
from typing import Any

import requests
from kombu.connection import Connection
from sqlalchemy import create_engine, inspect, text

from shared.config import Secret
from tests.conftest import RegistryFactory
from tests.support.rabbitmq import RabbitmqNode, create_vhost


def connect(url: str) -> Any:
    return Connection(url, transport_options={"confirm_publish": True})


def test_database_is_empty_and_takes_tables(database_url: str) -> None:
    engine = create_engine(database_url)

    with engine.begin() as connection:
        before = inspect(connection).get_table_names()
        connection.execute(text("CREATE TABLE things (name TEXT)"))

    assert before == []
    engine.dispose()


def test_broker_takes_messages_in_a_virtual_host_of_its_own(rabbitmq_url: Secret) -> None:
    with connect(rabbitmq_url.reveal()) as connection:
        queue = connection.SimpleQueue("things")
        queue.put({"name": "one"})

        assert queue.get(timeout=5).payload == {"name": "one"}


def test_node_keeps_durable_messages_when_it_is_killed(rabbitmq_node: RabbitmqNode) -> None:
    url = f"{rabbitmq_node.amqp_url}/{create_vhost(rabbitmq_node.management_url)}"
    with connect(url) as connection:
        connection.SimpleQueue("things").put({"name": "one"})

    rabbitmq_node.kill()
    rabbitmq_node.start()

    with connect(url) as connection:
        assert connection.SimpleQueue("things").get(timeout=10).payload == {"name": "one"}


def test_registry_answers_and_honours_its_configuration(registry_factory: RegistryFactory) -> None:
    registry = registry_factory({"http": {"headers": {"X-Test": ["yes"]}}})

    answer = requests.get(f"{registry.url}/v2/", timeout=5)

    assert (answer.status_code, answer.headers["X-Test"]) == (200, "yes")


def test_free_ports_differ(free_port: Callable[[], int]) -> None:
    assert len({free_port() for _ in range(50)}) == 50
