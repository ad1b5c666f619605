"""Events leave with their transaction, in order, and survive the broker's absence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from shared.config import Secret
from shared.database import Database, new_metadata
from shared.messaging.outbox import outbox_table, record_event, relay_batch, relay_outbox
from shared.messaging.publisher import Publisher, PublishError
from shared.messaging.topology import QueueSpec, declare_topology
from tests.support.messages import Collector, consuming, make_envelope, make_envelopes
from tests.support.waiting import wait_until

METADATA = new_metadata()
OUTBOX = outbox_table(METADATA)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    METADATA.create_all(database.engine)
    yield database
    database.dispose()


def record(database: Database, count: int, prefix: str = "event") -> None:
    with database.write() as connection:
        for envelope in make_envelopes(count, prefix):
            record_event(connection, OUTBOX, envelope)


def count_rows(database: Database) -> int | None:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(OUTBOX))


@contextmanager
def relaying(database: Database, broker: Secret, *, relays: int = 1) -> Iterator[None]:
    stop = threading.Event()
    publishers = [Publisher(broker, timeout_s=10) for _ in range(relays)]
    threads = [
        threading.Thread(target=relay_outbox, args=(database, OUTBOX, publisher), kwargs={"stop": stop}, daemon=True)
        for publisher in publishers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread, publisher in zip(threads, publishers, strict=True):
            thread.join(30)
            publisher.close()


def test_events_are_published_in_order_and_forgotten(database: Database, broker: Secret) -> None:
    record(database, 250)
    collector = Collector()

    with relaying(database, broker), consuming(broker, collector):
        wait_until(lambda: len(collector.ids) >= 250, what="all arrived")
        wait_until(lambda: count_rows(database) == 0, what="the outbox is empty")

    assert collector.ids == [envelope.id for envelope in make_envelopes(250)]


def test_an_event_of_a_transaction_that_failed_is_never_published(database: Database) -> None:
    class Failed(Exception): ...

    def record_and_fail() -> None:
        with database.write() as connection:
            record_event(connection, OUTBOX, make_envelope())
            raise Failed

    with pytest.raises(Failed):
        record_and_fail()

    assert count_rows(database) == 0


def test_an_event_that_nobody_wants_does_not_stay(database: Database, broker: Secret) -> None:
    with database.write() as connection:
        record_event(connection, OUTBOX, make_envelope(type="nobody.cares.v1"))

    with relaying(database, broker):
        wait_until(lambda: count_rows(database) == 0, what="the outbox is empty")


def test_events_stay_while_the_broker_takes_none(database: Database, broker_url: Secret) -> None:
    """A broker without topology refuses everything, as one that is away does."""
    record(database, 3)
    publisher = Publisher(broker_url, timeout_s=10)

    with pytest.raises(PublishError):
        relay_batch(database, OUTBOX, publisher)
    publisher.close()

    assert count_rows(database) == 3


def test_a_relay_goes_on_when_the_broker_takes_events_again(database: Database, broker_url: Secret) -> None:
    small = QueueSpec("small", ("registry.notification.v1",), max_length=100)
    declare_topology(broker_url, [small])
    record(database, 250)
    collector = Collector()

    with relaying(database, broker_url):
        wait_until(lambda: 0 < (count_rows(database) or 0) < 250, what="the queue is full")
        with consuming(broker_url, collector, queue=small):
            wait_until(lambda: count_rows(database) == 0, what="the outbox is empty")
            wait_until(lambda: len(set(collector.ids)) == 250, what="all arrived")


def test_two_relays_lose_nothing(database: Database, broker: Secret) -> None:
    record(database, 250)
    collector = Collector()

    with relaying(database, broker, relays=2), consuming(broker, collector):
        wait_until(lambda: count_rows(database) == 0, what="the outbox is empty")
        wait_until(lambda: len(set(collector.ids)) == 250, what="all arrived")

    first_seen = list(dict.fromkeys(collector.ids))
    assert first_seen == [envelope.id for envelope in make_envelopes(250)]
