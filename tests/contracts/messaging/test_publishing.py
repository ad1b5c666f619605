"""What a publisher may rely on, with either broker."""

import threading
from collections.abc import Iterator

import pytest

from shared.config import Secret
from shared.messaging.publisher import Publisher, PublishError
from shared.messaging.topology import CATALOG_NOTIFICATIONS, QueueSpec, declare_topology
from tests.support.messages import Collector, consuming, count_messages, make_envelope, make_envelopes
from tests.support.ports import free_port
from tests.support.waiting import wait_until

QUEUE = CATALOG_NOTIFICATIONS.name


@pytest.fixture
def publisher(broker: Secret) -> Iterator[Publisher]:
    publisher = Publisher(broker, timeout_s=10)
    yield publisher
    publisher.close()


def test_what_was_published_is_delivered_whole(broker: Secret, publisher: Publisher) -> None:
    sent = make_envelope("é-1", action="push", repository="team/app", size_bytes=7)
    collector = Collector()

    publisher.publish([sent])
    with consuming(broker, collector):
        wait_until(lambda: collector.ids, what="the event arrives")

    assert collector.deliveries[0].envelope == sent
    assert not collector.deliveries[0].redelivered


def test_a_large_event_arrives_whole(broker: Secret, publisher: Publisher) -> None:
    """RabbitMQ takes it in several frames."""
    sent = make_envelope(raw="é" * 200_000)
    collector = Collector()

    publisher.publish([sent, make_envelope("small")])
    with consuming(broker, collector):
        wait_until(lambda: len(collector.ids) == 2, what="both arrive")

    assert collector.deliveries[0].envelope == sent


def test_more_than_a_window_is_published_in_one_call(broker: Secret, publisher: Publisher) -> None:
    publisher.publish(make_envelopes(350))

    wait_until(lambda: count_messages(broker, QUEUE) == 350, what="all are in the queue")


def test_many_threads_share_a_publisher(broker: Secret, publisher: Publisher) -> None:
    def work(number: int) -> None:
        for envelope in make_envelopes(25, prefix=f"thread-{number}"):
            publisher.publish([envelope])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    wait_until(lambda: count_messages(broker, QUEUE) == 200, what="all are in the queue")


def test_an_event_that_no_queue_is_bound_for_is_a_fault(publisher: Publisher) -> None:
    lost = make_envelope("lost", type="nobody.cares.v1")

    with pytest.raises(PublishError, match="topology") as fault:
        publisher.publish([make_envelope("kept"), lost])

    assert fault.value.unconfirmed == (lost,)


def test_an_event_that_needs_no_queue_is_confirmed(publisher: Publisher) -> None:
    publisher.publish([make_envelope(type="nobody.cares.v1")], mandatory=False)


def test_a_publisher_goes_on_after_a_fault(broker: Secret, publisher: Publisher) -> None:
    with pytest.raises(PublishError):
        publisher.publish([make_envelope(type="nobody.cares.v1")])

    publisher.publish([make_envelope()])

    wait_until(lambda: count_messages(broker, QUEUE) == 1, what="the event is in the queue")


def test_a_full_queue_refuses(broker_url: Secret) -> None:
    small = QueueSpec("small", ("registry.notification.v1",), max_length=3)
    declare_topology(broker_url, [small])
    publisher = Publisher(broker_url, timeout_s=10)

    # RabbitMQ begins to refuse a little after the limit.
    with pytest.raises(PublishError, match="full") as fault:
        publisher.publish(make_envelopes(250))
    publisher.close()

    confirmed = 250 - len(fault.value.unconfirmed)
    assert 3 <= confirmed < 250
    assert count_messages(broker_url, "small") == confirmed


def test_a_broker_without_topology_says_what_to_do(broker_url: Secret) -> None:
    publisher = Publisher(broker_url, timeout_s=10)

    with pytest.raises(PublishError, match=r"no exchange 'portus\.events'") as fault:
        publisher.publish([make_envelope()])
    publisher.close()

    assert fault.value.unconfirmed == (make_envelope(),)


def test_a_broker_that_is_away_is_a_fault_and_not_named_with_its_password() -> None:
    publisher = Publisher(Secret(f"amqp://portus:hunter2@127.0.0.1:{free_port()}/"))

    with pytest.raises(PublishError) as fault:
        publisher.publish(make_envelopes(2))

    assert len(fault.value.unconfirmed) == 2
    assert "hunter2" not in str(fault.value)


def test_a_broker_that_failed_is_left_alone_for_a_moment() -> None:
    publisher = Publisher(Secret(f"amqp://portus:secret@127.0.0.1:{free_port()}/"))
    with pytest.raises(PublishError):
        publisher.publish([make_envelope()])

    with pytest.raises(PublishError, match="a moment ago"):
        publisher.publish([make_envelope()])


def test_publishing_nothing_needs_no_broker() -> None:
    Publisher(Secret(f"amqp://portus:secret@127.0.0.1:{free_port()}/")).publish([])
