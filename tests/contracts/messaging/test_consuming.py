"""What a consumer may rely on, with either broker."""

import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from shared.config import Secret
from shared.contracts.events import Envelope, InvalidMessage, dump_envelope
from shared.messaging.confirms import ConfirmedChannel, Outgoing
from shared.messaging.connections import open_connection
from shared.messaging.consumer import Delivery, Rejected, Unavailable
from shared.messaging.graveyard import REASON_HEADER
from shared.messaging.publisher import Publisher
from shared.messaging.tasks import work_off
from shared.messaging.topology import CATALOG_NOTIFICATIONS, QueueSpec, declare_topology
from tests.support.messages import Collector, consuming, count_messages, make_envelope, make_envelopes, publish
from tests.support.waiting import wait_until

QUEUE, DEAD = CATALOG_NOTIFICATIONS.name, CATALOG_NOTIFICATIONS.dead_name


def is_empty(broker: Secret, queue: str = QUEUE) -> bool:
    return count_messages(broker, queue) == 0


def read_dead_letter(broker: Secret, queue: str = DEAD) -> tuple[Any, dict[str, Any]]:
    """Return body and headers of the oldest dead letter."""
    wait_until(lambda: count_messages(broker, queue), what="a dead letter is there")
    letters: list[Any] = []
    connection = open_connection(broker, timeout_s=10)
    channel = connection.channel()
    channel.basic_consume(queue, callback=lambda raw: letters.append(channel.message_to_python(raw)))
    connection.drain_events(timeout=10)
    letters[0].ack()
    connection.release()
    return json.loads(letters[0].body), letters[0].headers


class Failing:
    """A handler that raises while a batch holds one id, and collects otherwise."""

    def __init__(self, id: str, fault: Exception, *, times: int = 1_000) -> None:
        self.collector = Collector()
        self.attempts = 0
        self._id, self._fault, self._times = id, fault, times

    def __call__(self, deliveries: Sequence[Delivery]) -> None:
        if self._id in [delivery.envelope.id for delivery in deliveries]:
            self.attempts += len(deliveries) == 1
            if self.attempts <= self._times:
                raise self._fault
        self.collector(deliveries)


def test_one_consumer_sees_the_order_of_publishing(broker: Secret) -> None:
    envelopes = make_envelopes(300)
    publish(broker, envelopes)
    collector = Collector()

    with consuming(broker, collector, batch_size=40):
        wait_until(lambda: len(collector.ids) >= 300, what="all arrived")

    assert collector.ids == [envelope.id for envelope in envelopes]


def test_a_batch_is_no_longer_than_asked_for(broker: Secret) -> None:
    publish(broker, make_envelopes(50))
    sizes: list[int] = []

    with consuming(broker, lambda deliveries: sizes.append(len(deliveries)), batch_size=20):
        wait_until(lambda: sum(sizes) == 50, what="all arrived")

    assert max(sizes) <= 20


def test_a_message_is_acknowledged_only_after_the_handler_returns(broker: Secret) -> None:
    publish(broker, [make_envelope()])
    entered, leave = threading.Event(), threading.Event()

    def handle(_: Sequence[Delivery]) -> None:
        entered.set()
        leave.wait(30)

    collector = Collector()
    with consuming(broker, handle):
        assert entered.wait(30)
        with consuming(broker, collector):
            leave.set()
            wait_until(lambda: is_empty(broker), what="the message is acknowledged")

    assert collector.ids == []


def test_two_consumers_share_a_queue(broker: Secret) -> None:
    publish(broker, make_envelopes(200))
    one, two = Collector(), Collector()

    with consuming(broker, one, batch_size=5), consuming(broker, two, batch_size=5):
        wait_until(lambda: len(one.ids) + len(two.ids) >= 200, what="all arrived")

    assert sorted(one.ids + two.ids) == [envelope.id for envelope in make_envelopes(200)]


def test_what_a_consumer_finished_before_it_stopped_is_not_given_again(broker: Secret) -> None:
    publish(broker, make_envelopes(500))
    stopped = threading.Event()
    first = Collector(lambda _: stopped.set())
    with consuming(broker, first, batch_size=50):
        stopped.wait(30)

    second = Collector()
    with consuming(broker, second):
        wait_until(lambda: len(first.ids) + len(second.ids) >= 500, what="all arrived")

    assert sorted(first.ids + second.ids) == [envelope.id for envelope in make_envelopes(500)]


def test_a_poison_message_takes_no_neighbour_with_it(broker_url: Secret) -> None:
    impatient = QueueSpec("impatient", ("registry.notification.v1",), delivery_limit=2)
    declare_topology(broker_url, [impatient])
    handler = Failing("poison", RuntimeError("a bug"))
    publish(broker_url, [*make_envelopes(5, "before"), make_envelope("poison"), *make_envelopes(5, "after")])

    with consuming(broker_url, handler, queue=impatient):
        wait_until(lambda: len(handler.collector.ids) == 10, what="the neighbours are applied")
        body, headers = read_dead_letter(broker_url, impatient.dead_name)

    assert body["id"] == "poison"
    assert headers[REASON_HEADER] == "RuntimeError: a bug"
    assert handler.attempts == 3


def test_a_delivery_that_failed_once_is_applied_at_the_next(broker: Secret) -> None:
    handler = Failing("shaky", RuntimeError("a deadlock"), times=1)
    publish(broker, [make_envelope("shaky")])

    with consuming(broker, handler):
        wait_until(lambda: handler.collector.ids, what="it is applied")
        wait_until(lambda: is_empty(broker), what="it is acknowledged")

    assert handler.collector.deliveries[0].redelivered
    assert count_messages(broker, DEAD) == 0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Rejected("no such action"), id="Rejected"),
        pytest.param(InvalidMessage("no action"), id="InvalidMessage"),
    ],
)
def test_a_refused_delivery_is_a_dead_letter_at_once_with_its_reason(broker: Secret, fault: Exception) -> None:
    handler = Failing("bad", fault)
    publish(broker, [make_envelope("bad"), make_envelope("good")])

    with consuming(broker, handler):
        body, headers = read_dead_letter(broker)
        wait_until(lambda: is_empty(broker), what="the queue is empty")

    assert body["id"] == "bad"
    assert headers[REASON_HEADER] == f"{type(fault).__name__}: {fault}"
    assert handler.attempts == 1
    assert handler.collector.ids == ["good"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"{", id="not JSON"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b'{"specversion": "1.0"}', id="no CloudEvent"),
        pytest.param(b"[" * 100_000, id="deep nesting"),
    ],
)
def test_a_body_that_is_no_event_never_reaches_the_handler(broker: Secret, body: bytes) -> None:
    channel = ConfirmedChannel(broker, timeout_s=10)
    channel.send([Outgoing("portus.events", CATALOG_NOTIFICATIONS.binding_keys[0], body)])
    channel.close()
    collector = Collector()

    with consuming(broker, collector):
        wait_until(lambda: count_messages(broker, DEAD) == 1, what="it is a dead letter")
        wait_until(lambda: is_empty(broker), what="the queue is empty")

    assert collector.ids == []


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(Unavailable("the registry is away"), id="Unavailable"),
        pytest.param(OperationalError("SELECT 1", {}, Exception("server closed the connection")), id="database"),
    ],
)
def test_an_outage_spends_no_deliveries(broker: Secret, outage: Exception) -> None:
    """Promise: however long a database is away, its messages are not taken for poison."""
    handler = Failing("unlucky", outage, times=CATALOG_NOTIFICATIONS.delivery_limit + 5)  # type: ignore[operator]
    publish(broker, [make_envelope("unlucky"), *make_envelopes(3)])

    with consuming(broker, handler):
        wait_until(lambda: len(handler.collector.ids) == 4, what="all are applied in the end")
        wait_until(lambda: is_empty(broker), what="all are acknowledged")

    assert count_messages(broker, DEAD) == 0
    assert not any(delivery.redelivered for delivery in handler.collector.deliveries)


def test_one_delivery_that_looks_like_an_outage_does_not_block_the_others(broker: Secret) -> None:
    handler = Failing("culprit", Unavailable("for this one only"))
    publish(broker, [make_envelope("culprit"), *make_envelopes(20)])

    with consuming(broker, handler, batch_size=5):
        wait_until(lambda: len(handler.collector.ids) == 20, what="the others are applied")


def test_a_consumer_waits_for_a_queue_that_is_declared_later(broker_url: Secret) -> None:
    collector = Collector()

    with consuming(broker_url, collector):
        declare_topology(broker_url)
        publish(broker_url, [make_envelope()])
        wait_until(lambda: collector.ids, what="the event arrives")


def publish_bundle(broker: Secret, envelopes: Sequence[Envelope]) -> None:
    publisher = Publisher(broker, timeout_s=10, bundles=True)
    publisher.publish(envelopes)
    publisher.close()


class TestBundles:
    """Events that came in one message."""

    def test_all_are_applied_in_their_order_a_batch_at_a_time(self, broker: Secret) -> None:
        publish_bundle(broker, make_envelopes(120))
        sizes = list[int]()
        collector = Collector(lambda deliveries: sizes.append(len(deliveries)))

        assert count_messages(broker, QUEUE) == 3
        with consuming(broker, collector, batch_size=40):
            wait_until(lambda: len(collector.ids) == 120, what="all arrived")
            wait_until(lambda: is_empty(broker), what="all are acknowledged")

        assert collector.ids == [envelope.id for envelope in make_envelopes(120)]
        assert max(sizes) == 40

    def test_one_that_is_refused_is_buried_alone(self, broker: Secret) -> None:
        handler = Failing("bad", Rejected("no such action"))
        publish_bundle(broker, [*make_envelopes(3), make_envelope("bad"), *make_envelopes(3, "after")])

        with consuming(broker, handler):
            body, headers = read_dead_letter(broker)
            wait_until(lambda: is_empty(broker), what="the queue is empty")

        assert (body["id"], headers[REASON_HEADER]) == ("bad", "Rejected: no such action")
        assert len(handler.collector.ids) == len(set(handler.collector.ids)) == 6

    def test_one_that_is_no_event_is_buried_alone(self, broker: Secret) -> None:
        good = [json.dumps(dump_envelope(envelope)) for envelope in make_envelopes(2)]
        channel = ConfirmedChannel(broker, timeout_s=10)
        body = f'[{good[0]}, {{"id": 7}}, {good[1]}]'.encode()
        channel.send([Outgoing("portus.events", CATALOG_NOTIFICATIONS.binding_keys[0], body)])
        channel.close()
        collector = Collector()

        with consuming(broker, collector):
            letter, _ = read_dead_letter(broker)
            wait_until(lambda: is_empty(broker), what="the queue is empty")

        assert letter == {"id": 7}
        assert collector.ids == [envelope.id for envelope in make_envelopes(2)]

    def test_one_that_fails_is_tried_again_without_the_others(self, broker_url: Secret) -> None:
        impatient = QueueSpec("impatient", ("registry.notification.v1",), delivery_limit=2)
        declare_topology(broker_url, [impatient])
        handler = Failing("poison", RuntimeError("a bug"))
        publish_bundle(broker_url, [*make_envelopes(5), make_envelope("poison"), *make_envelopes(5, "after")])

        with consuming(broker_url, handler, queue=impatient):
            body, headers = read_dead_letter(broker_url, impatient.dead_name)
            wait_until(lambda: is_empty(broker_url, impatient.name), what="the queue is empty")

        assert (body["id"], headers[REASON_HEADER]) == ("poison", "RuntimeError: a bug")
        assert len(handler.collector.ids) == len(set(handler.collector.ids)) == 10
        assert handler.attempts == 4

    def test_an_outage_loses_none_and_gives_none_twice(self, broker: Secret) -> None:
        handler = Failing("event-000030", Unavailable("the registry is away"), times=2)
        publish_bundle(broker, make_envelopes(90))

        with consuming(broker, handler, batch_size=20):
            wait_until(lambda: len(handler.collector.ids) == 90, what="all are applied")
            wait_until(lambda: is_empty(broker), what="all are acknowledged")

        assert sorted(handler.collector.ids) == [envelope.id for envelope in make_envelopes(90)]
        assert count_messages(broker, DEAD) == 0

    def test_a_consumer_that_takes_tasks_takes_no_bundles(self, broker: Secret) -> None:
        publish_bundle(broker, make_envelopes(2))
        stop, done = threading.Event(), list[Envelope]()
        options = {"threads": 1, "stop": stop}
        worker = threading.Thread(target=work_off, args=(broker, CATALOG_NOTIFICATIONS, done.append), kwargs=options)
        worker.start()
        try:
            letter, _ = read_dead_letter(broker)
        finally:
            stop.set()
            worker.join()

        assert [event["id"] for event in letter] == [envelope.id for envelope in make_envelopes(2)]
        assert not done
