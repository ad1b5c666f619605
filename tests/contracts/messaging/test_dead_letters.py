"""Dead letters leave their queue for good only when somebody keeps them, and go back to that queue alone."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from shared.config import Secret
from shared.contracts.events import dump_envelope
from shared.messaging.confirms import ConfirmedChannel, Outgoing
from shared.messaging.connections import open_connection
from shared.messaging.consumer import Unavailable
from shared.messaging.dead_letters import DeadLetter, consume_dead_letters, return_letters
from shared.messaging.graveyard import REASON_HEADER
from shared.messaging.topology import (
    CATALOG_NOTIFICATIONS,
    DEAD_EXCHANGE,
    NOTIFIER_EVENTS,
    QueueSpec,
    declare_topology,
)
from tests.support.messages import Collector, consuming, count_messages, make_envelope, publish
from tests.support.waiting import wait_until

QUEUE = CATALOG_NOTIFICATIONS


def bury(broker: Secret, *bodies: bytes, reason: str | None = "no good") -> None:
    """Put letters among the dead of ``catalog.notifications``."""
    headers = {REASON_HEADER: reason} if reason else {}
    channel = ConfirmedChannel(broker, timeout_s=10)
    channel.send([Outgoing(DEAD_EXCHANGE, QUEUE.name, body, headers=headers) for body in bodies])
    channel.close()


class Keeper:
    """Keeps letters, after it has failed a few times."""

    def __init__(self, *faults: Exception) -> None:
        self.letters: list[DeadLetter] = []
        self.attempts = 0
        self._faults = list(faults)

    def __call__(self, letters: Sequence[DeadLetter]) -> None:
        self.attempts += 1
        if self._faults:
            raise self._faults.pop(0)
        self.letters += letters


@contextmanager
def keeping(broker: Secret, keep: Callable[[Sequence[DeadLetter]], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(
        target=consume_dead_letters, args=(broker, QUEUE, keep), kwargs={"stop": stop}, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive(), "the consumer did not stop"


@pytest.mark.parametrize(
    "body",
    [pytest.param(b'{"id": "a"}', id="JSON"), pytest.param(b"\xff\x00", id="no text"), pytest.param(b"", id="-")],
)
def test_a_letter_is_handed_over_as_it_was_published(broker: Secret, body: bytes) -> None:
    bury(broker, body)
    keeper = Keeper()

    with keeping(broker, keeper):
        wait_until(lambda: keeper.letters, what="the letter is kept")
        wait_until(lambda: count_messages(broker, QUEUE.dead_name) == 0, what="the queue is empty")

    assert keeper.letters == [DeadLetter(QUEUE.name, body, "no good")]


def test_of_a_bundle_each_event_is_a_letter(broker: Secret) -> None:
    bury(broker, b'[{"id": "a"}, {"id": "b"}]')
    keeper = Keeper()

    with keeping(broker, keeper):
        wait_until(lambda: keeper.letters, what="the letters are kept")
        wait_until(lambda: count_messages(broker, QUEUE.dead_name) == 0, what="the queue is empty")

    assert [json.loads(letter.body) for letter in keeper.letters] == [{"id": "a"}, {"id": "b"}]
    assert {letter.reason for letter in keeper.letters} == {"no good"}


def test_a_letter_that_the_broker_buried_says_why(broker: Secret) -> None:
    publish(broker, [make_envelope()])
    reject_one(broker)
    keeper = Keeper()

    with keeping(broker, keeper):
        wait_until(lambda: keeper.letters, what="the letter is kept")

    assert keeper.letters[0].reason == "rejected: its consumer rejected it"


def reject_one(broker: Secret) -> None:
    connection = open_connection(broker, timeout_s=10)
    channel = connection.channel()
    channel.basic_consume(QUEUE.name, callback=lambda raw: channel.message_to_python(raw).reject())
    connection.drain_events(timeout=10)
    connection.release()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Unavailable("no room"), id="no room"),
        pytest.param(OperationalError("INSERT", {}, Exception("server closed the connection")), id="database away"),
        pytest.param(RuntimeError("a bug"), id="a bug"),
    ],
)
def test_what_cannot_be_kept_now_is_offered_again(broker: Secret, fault: Exception) -> None:
    bury(broker, b"one", b"two")
    keeper = Keeper(fault)

    with keeping(broker, keeper):
        wait_until(lambda: len(keeper.letters) >= 2, what="both are kept")
        wait_until(lambda: count_messages(broker, QUEUE.dead_name) == 0, what="the queue is empty")

    assert {letter.body for letter in keeper.letters} == {b"one", b"two"}


def test_what_is_not_kept_when_the_consumer_stops_is_still_there(broker: Secret) -> None:
    bury(broker, b"one")
    keeper = Keeper(*[Unavailable("no room")] * 100)
    with keeping(broker, keeper):
        wait_until(lambda: keeper.attempts, what="it was offered")

    wait_until(lambda: count_messages(broker, QUEUE.dead_name) == 1, what="it has come back")


def test_a_returned_letter_reaches_its_own_queue_and_no_other(broker: Secret) -> None:
    """Others are bound for its type too, and have applied it long ago."""
    letter = DeadLetter(QUEUE.name, json.dumps(dump_envelope(make_envelope("again"))).encode(), "")

    assert return_letters(broker, [letter]) == [None]

    collector = Collector()
    with consuming(broker, collector):
        wait_until(lambda: collector.ids == ["again"], what="it arrived")
    assert count_messages(broker, NOTIFIER_EVENTS.name) == 0


def test_a_queue_that_is_not_there_takes_none(broker: Secret) -> None:
    letters = [DeadLetter("gone", b"one", ""), DeadLetter(QUEUE.name, b"two", "")]

    missing, found = return_letters(broker, letters)

    assert "no queue" in (missing or "")
    assert found is None


def test_a_full_queue_takes_none(broker_url: Secret) -> None:
    declare_topology(broker_url, [QueueSpec("small", ("x.y.v1",), max_length=1)])

    faults = [return_letters(broker_url, [DeadLetter("small", b"%d" % number, "")]) for number in range(10)]

    # RabbitMQ takes a few more than it should.
    assert faults[0] == [None]
    assert "full" in (faults[-1][0] or "")


def test_a_broker_that_is_away_takes_none(free_port: Callable[[], int]) -> None:
    away = Secret(f"amqp://portus:hunter2@127.0.0.1:{free_port()}/")

    (fault,) = return_letters(away, [DeadLetter(QUEUE.name, b"one", "")])

    assert fault is not None
