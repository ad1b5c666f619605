"""A flood of events waits in the broker and not in a consumer: what it holds has a limit, whatever happens."""

import threading
import tracemalloc
from collections.abc import Sequence

import pytest

from shared.config import Secret
from shared.messaging.consumer import Delivery, Unavailable
from shared.messaging.topology import CATALOG_NOTIFICATIONS
from tests.support.messages import Collector, consuming, count_messages, make_envelope, make_envelopes, publish
from tests.support.waiting import wait_until

BATCH_SIZE = 20
MOST_HELD = BATCH_SIZE + 1
"""A consumer begins with one message, and takes a batch when it turns out to be harmless."""
FLOOD = 300


def test_a_consumer_that_is_busy_holds_a_batch_and_leaves_the_rest_to_others(broker: Secret) -> None:
    publish(broker, make_envelopes(FLOOD))
    held, leave = list[str](), threading.Event()

    def handle(deliveries: Sequence[Delivery]) -> None:
        held.extend(delivery.envelope.id for delivery in deliveries)
        leave.wait(60)

    other = Collector()
    with consuming(broker, handle, batch_size=BATCH_SIZE):
        wait_until(lambda: held, what="one consumer is busy")
        with consuming(broker, other, batch_size=BATCH_SIZE):
            wait_until(lambda: len(other.ids) >= FLOOD - MOST_HELD, what="the other has all but a batch")
            leave.set()
            wait_until(lambda: count_messages(broker, CATALOG_NOTIFICATIONS.name) == 0, what="the queue is empty")

    assert sorted({*held, *other.ids}) == [envelope.id for envelope in make_envelopes(FLOOD)]


def test_a_consumer_that_waits_for_its_database_takes_no_more(broker: Secret) -> None:
    publish(broker, make_envelopes(FLOOD))
    seen: set[str] = set()
    attempts, back = [0], threading.Event()

    def handle(deliveries: Sequence[Delivery]) -> None:
        seen.update(delivery.envelope.id for delivery in deliveries)
        attempts[0] += 1
        if not back.is_set():
            raise Unavailable("the database is away")

    with consuming(broker, handle, batch_size=BATCH_SIZE):
        wait_until(lambda: attempts[0] > 3 * BATCH_SIZE, what="it has tried again and again")
        assert len(seen) <= MOST_HELD
        back.set()
        wait_until(lambda: len(seen) == FLOOD, what="all are applied in the end", timeout_s=60)


@pytest.mark.timeout(180)
def test_memory_does_not_grow_with_the_flood(broker: Secret) -> None:
    count, body_bytes = 3_000, 8_000
    publish(broker, [make_envelope(f"event-{number}", text="x" * body_bytes) for number in range(count)])
    done = [0]

    def handle(deliveries: Sequence[Delivery]) -> None:
        done[0] += len(deliveries)

    tracemalloc.start()
    try:
        with consuming(broker, handle, batch_size=BATCH_SIZE):
            wait_until(lambda: done[0] >= count, what="all have gone through", timeout_s=120)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < count * body_bytes / 4
