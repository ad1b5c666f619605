"""The SQLite transport as kombu sees it; what it shares with RabbitMQ is in tests/contracts/messaging."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import NoConsumers, NotFound, ResourceError
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from shared.messaging.sqlite_channel import Channel
from shared.messaging.sqlite_transport import SqliteTransport

EVENTS = Exchange("events", "topic")
Connect = Callable[..., Connection]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Opens connections to one file, with a queue ``jobs`` for ``job.#`` that holds three messages."""
    opened: list[Connection] = []

    def connect(**options: float) -> Connection:
        url = f"sqlite:///{tmp_path / 'broker.db'}"
        options = {"poll_interval_s": 0.002, **options}
        opened.append(Connection(url, transport=SqliteTransport, transport_options=options))
        return opened[-1]

    Queue("jobs", EVENTS, "job.#", queue_arguments={"x-max-length": 3})(connect().channel()).declare()
    yield connect
    for connection in opened:
        connection.release()


def publish(connection: Connection, *bodies: str, routing_key: str = "job.new", **options: Any) -> Channel:
    channel: Channel = connection.channel()
    for body in bodies:
        channel.basic_publish(channel.prepare_message(body), "events", routing_key, **options)
    return channel


def consume(connection: Connection, *, prefetch_count: int = 0) -> tuple[Channel, list[Any]]:
    channel: Channel = connection.channel()
    received: list[Any] = []
    channel.basic_qos(0, prefetch_count, False)
    channel.basic_consume("jobs", callback=received.append)
    return channel, received


def drain(connection: Connection) -> None:
    with suppress(TimeoutError):
        while True:
            connection.drain_events(timeout=0.01)


def drain_until(connection: Connection, received: list[Any]) -> None:
    while not received:
        connection.drain_events(timeout=30)


def bodies(received: list[Any]) -> list[str]:
    return [message.body.decode() for message in received]


def test_a_consumer_on_another_connection_is_woken(connect: Connect) -> None:
    consumer = connect()
    _, received = consume(consumer)
    drain(consumer)

    publish(connect(), "1")
    consumer.drain_events(timeout=5)

    assert bodies(received) == ["1"]


def test_no_more_is_delivered_than_may_be_held(connect: Connect) -> None:
    consumer = connect()
    _, received = consume(consumer, prefetch_count=2)
    publish(connect(), "1", "2", "3")

    drain(consumer)
    assert bodies(received) == ["1", "2"]

    received[0].ack()
    drain(consumer)
    assert bodies(received) == ["1", "2", "3"]


def test_one_acknowledgement_may_stand_for_all_before_it(connect: Connect) -> None:
    consumer = connect()
    channel, received = consume(consumer)
    publish(connect(), "1", "2", "3")
    drain(consumer)

    received[1].ack(multiple=True)
    drain(consumer)

    assert channel.queue_declare("jobs", passive=True).message_count == 1


def test_a_closed_consumer_gives_back_at_once(connect: Connect) -> None:
    first = connect()
    consume(first)
    publish(connect(), "1")
    drain(first)
    first.release()

    second = connect()
    _, received = consume(second)
    drain(second)

    assert bodies(received) == ["1"]
    assert received[0].delivery_info["redelivered"]


def test_a_consumer_that_lives_keeps_what_it_holds(connect: Connect) -> None:
    """Promise: however long a handler works, nobody else is given its messages."""
    slow, other = connect(lease_s=1.0), connect()
    _, held = consume(slow)
    _, received = consume(other)
    publish(connect(), "1")
    drain_until(slow, held)

    for _ in range(5):
        with suppress(TimeoutError):
            other.drain_events(timeout=0.5)

    assert received == []
    held[0].ack()
    drain(slow)
    assert other.channel().queue_declare("jobs", passive=True).message_count == 0


def test_what_an_abandoned_consumer_held_is_given_to_the_next(connect: Connect) -> None:
    dead = connect(lease_s=0.2)
    _, held = consume(dead)
    publish(connect(), "1")
    drain_until(dead, held)
    dead.collect()

    other = connect()
    _, received = consume(other)
    drain_until(other, received)

    assert bodies(received) == ["1"]
    assert received[0].headers == {"x-delivery-count": 1}


def test_a_cancelled_consumer_is_given_nothing(connect: Connect) -> None:
    consumer = connect()
    channel: Channel = consumer.channel()
    received: list[Any] = []
    tag = channel.basic_consume("jobs", callback=received.append)
    channel.basic_cancel(tag)
    publish(connect(), "1")

    drain(consumer)

    assert received == []


def test_the_properties_and_headers_of_a_message_arrive(connect: Connect) -> None:
    producer, consumer = connect(), connect()
    channel: Channel = producer.channel()
    message = channel.prepare_message("{}", content_type="application/json", headers={"x-colour": "blue"})
    channel.basic_publish(message, "events", "job.new")
    _, received = consume(consumer)

    drain(consumer)

    assert received[0].content_type == "application/json"
    assert received[0].headers == {"x-colour": "blue"}
    assert received[0].delivery_info["routing_key"] == "job.new"


def test_confirms_come_when_the_connection_is_drained(connect: Connect) -> None:
    producer = connect()
    told: list[tuple[str, int]] = []
    channel: Channel = producer.channel()
    channel.confirm_select()
    channel.events["basic_ack"].add(lambda tag, _multiple: told.append(("ack", tag)))
    channel.events["basic_nack"].add(lambda tag, _multiple: told.append(("nack", tag)))
    for number in range(4):
        channel.basic_publish(channel.prepare_message(str(number)), "events", "job.new")

    assert told == []
    producer.drain_events(timeout=1)
    assert told == [("ack", 1), ("ack", 2), ("ack", 3), ("nack", 4)]


def test_an_unroutable_mandatory_message_is_returned_and_confirmed(connect: Connect) -> None:
    producer = connect()
    told: list[Any] = []
    channel: Channel = producer.channel()
    channel.confirm_select()
    channel.events["basic_return"].add(lambda _fault, _exchange, routing_key, _message: told.append(routing_key))
    channel.events["basic_ack"].add(lambda tag, _multiple: told.append(tag))
    channel.basic_publish(channel.prepare_message("1"), "events", "nobody.cares", mandatory=True)

    producer.drain_events(timeout=1)

    assert told == ["nobody.cares", 1]


def test_without_confirms_faults_are_raised_at_once(connect: Connect) -> None:
    with pytest.raises(NoConsumers):
        publish(connect(), "1", routing_key="nobody.cares", mandatory=True)
    with pytest.raises(ResourceError, match="queue is full"):
        publish(connect(), "1", "2", "3", "4")


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda channel: channel.queue_declare("none", passive=True), id="declare a queue passively"),
        pytest.param(lambda channel: channel.exchange_declare("none", "topic", passive=True), id="or an exchange"),
        pytest.param(lambda channel: channel.basic_consume("none"), id="consume"),
        pytest.param(lambda channel: channel.basic_publish(channel.prepare_message(""), "none", "k"), id="publish"),
    ],
)
def test_what_nobody_declared_is_not_found(connect: Connect, use: Callable[[Channel], object]) -> None:
    with pytest.raises(NotFound):
        use(connect().channel())
