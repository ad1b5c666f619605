import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.messaging.sqlite_file import SqliteFile
from shared.messaging.sqlite_leases import DEATH_QUEUE, DEATH_REASON, LONGEST_LEASE_S, PARKED_S, SqliteLeases, Taken
from shared.messaging.sqlite_queues import Fate, Letter, QueueLimits, SqliteQueues, UnknownExchange, _matches_topic

LEASE_S = 5.0


class Broker:
    """A file with one topic exchange ``events``, one queue ``jobs`` for all, and a clock of its own."""

    def __init__(self, path: Path, limits: QueueLimits | None = None, *, dead_max_length: int | None = None) -> None:
        self.file = SqliteFile(path, timeout_s=1)
        self.now = 1_000_000.0
        self.queues = SqliteQueues(self.file.connection)
        self.leases = SqliteLeases(self.file.connection, now=lambda: self.now)
        with self.file.write():
            self.queues.declare_exchange("events", "topic")
            self.queues.declare_exchange("dead", "direct")
            self.queues.declare_queue("jobs", limits or QueueLimits())
            self.queues.declare_queue("jobs.dead", QueueLimits(max_length=dead_max_length))
            self.queues.bind("jobs", "events", "#")
            self.queues.bind("jobs.dead", "dead", "jobs")

    def publish(self, *bodies: str) -> list[Fate]:
        with self.file.write():
            return self.queues.publish([make_letter(body) for body in bodies])

    def take(self, holder: str = "one", limit: int = 100, queue: str = "jobs") -> list[Taken]:
        with self.file.write():
            return self.leases.take(holder, queue, limit=limit, lease_s=LEASE_S)

    def fail(self, times: int) -> None:
        for _ in range(times):
            taken = self.take()
            with self.file.write():
                self.leases.requeue("one", taken)

    def lengths(self) -> tuple[int | None, int | None]:
        return self.queues.length("jobs"), self.queues.length("jobs.dead")


def make_letter(body: str = "hello", *, exchange: str = "events", routing_key: str = "a.b") -> Letter:
    return Letter(exchange, routing_key, {"content_type": "text/plain"}, {}, body.encode())


def bodies(taken: list[Taken]) -> list[str]:
    return [delivery.body.decode() for delivery in taken]


DEAD_AFTER_TWO = QueueLimits(delivery_limit=2, dead_letter_exchange="dead", dead_letter_routing_key="jobs")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker.db", DEAD_AFTER_TWO)
    yield broker
    broker.file.close()


@pytest.mark.parametrize(
    ("pattern", "routing_key", "matches"),
    [
        pytest.param("a.b", "a.b", True, id="same words"),
        pytest.param("a.b", "a.c", False, id="another word"),
        pytest.param("a.b", "a.b.c", False, id="one word more"),
        pytest.param("a.*", "a.b", True, id="star is a word"),
        pytest.param("a.*", "a", False, id="star is not nothing"),
        pytest.param("a.*", "a.b.c", False, id="star is not two words"),
        pytest.param("a.#", "a", True, id="hash is nothing"),
        pytest.param("a.#", "a.b.c", True, id="hash is many words"),
        pytest.param("#", "anything.at.all", True, id="hash alone"),
        pytest.param("#.c", "a.b.c", True, id="hash in front"),
        pytest.param("a.#.c.*", "a.b.c.c.d", True, id="hash and star"),
        pytest.param("a*", "ab", False, id="star inside a word is a letter"),
    ],
)
def test_topic_patterns_match_words(pattern: str, routing_key: str, matches: bool) -> None:
    assert _matches_topic(pattern, routing_key) is matches


def test_messages_are_taken_in_the_order_they_came(broker: Broker) -> None:
    broker.publish("1", "2", "3")

    assert bodies(broker.take(limit=2)) == ["1", "2"]
    assert bodies(broker.take(limit=2)) == ["3"]


def test_what_one_holds_nobody_else_gets(broker: Broker) -> None:
    broker.publish("1")
    broker.take("one")

    assert broker.take("two") == []


def test_a_routing_key_that_nothing_is_bound_for_is_unrouted(broker: Broker) -> None:
    with broker.file.write():
        fates = broker.queues.publish([make_letter(exchange="dead", routing_key="no-such-queue")])

    assert fates == [Fate.UNROUTED]


def test_the_default_exchange_leads_to_the_queue_named(broker: Broker) -> None:
    with broker.file.write():
        broker.queues.publish([make_letter(exchange="", routing_key="jobs")])

    assert len(broker.take()) == 1


def test_nothing_is_stored_when_an_exchange_is_unknown(broker: Broker) -> None:
    with pytest.raises(UnknownExchange), broker.file.write():
        broker.queues.publish([make_letter(), make_letter(exchange="nobody-declared-this")])

    assert broker.lengths() == (0, 0)


def test_a_full_queue_refuses(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker.db", QueueLimits(max_length=2))

    assert broker.publish("1", "2", "3") == [Fate.STORED, Fate.STORED, Fate.REFUSED]
    assert broker.lengths() == (2, 0)


def test_an_acknowledged_message_leaves_the_file(broker: Broker) -> None:
    broker.publish("1", "2")
    first, _second = broker.take()

    with broker.file.write():
        broker.leases.acknowledge("one", [first])

    assert broker.lengths() == (1, 0)


def test_an_acknowledgement_after_the_lease_deletes_nothing(broker: Broker) -> None:
    """Promise: who was too slow cannot delete what somebody else is working on."""
    broker.publish("1")
    late = broker.take("one")
    broker.now += LEASE_S + 1
    broker.take("two")

    with broker.file.write():
        broker.leases.acknowledge("one", late)

    assert broker.lengths() == (1, 0)


def test_the_same_holder_cannot_acknowledge_an_older_delivery(broker: Broker) -> None:
    broker.publish("1")
    late = broker.take("one")
    broker.now += LEASE_S + 1
    broker.take("one")

    with broker.file.write():
        broker.leases.acknowledge("one", late)

    assert broker.lengths() == (1, 0)


def test_what_a_dead_holder_held_goes_back_in_its_place(broker: Broker) -> None:
    broker.publish("1", "2", "3")
    broker.take("dead", limit=2)
    broker.now += LEASE_S + 1

    again = broker.take("alive")

    assert bodies(again) == ["1", "2", "3"]
    assert [delivery.deliveries for delivery in again] == [2, 2, 1]


def test_a_renewed_lease_keeps_what_is_held(broker: Broker) -> None:
    broker.publish("1")
    broker.take("one")
    broker.now += LEASE_S - 1
    with broker.file.write():
        broker.leases.renew("one", lease_s=LEASE_S)
    broker.now += LEASE_S - 1

    assert broker.take("two") == []


def test_a_clock_set_back_hides_no_message(broker: Broker) -> None:
    broker.publish("1")
    broker.take("dead")
    broker.now -= 10 * LONGEST_LEASE_S

    assert broker.leases.has_work("jobs")
    assert bodies(broker.take("alive")) == ["1"]


def test_a_message_that_came_back_too_often_is_a_dead_letter(broker: Broker) -> None:
    broker.publish("poison")

    broker.fail(times=3)

    [dead] = broker.take(queue="jobs.dead")
    assert broker.lengths() == (0, 1)
    assert dead.headers == {DEATH_REASON: "delivery_limit", DEATH_QUEUE: "jobs"}
    assert dead.body == b"poison"


def test_a_message_that_came_back_to_the_limit_is_still_given(broker: Broker) -> None:
    broker.publish("stubborn")

    broker.fail(times=2)

    assert bodies(broker.take()) == ["stubborn"]


def test_a_message_that_kills_its_holders_is_a_dead_letter_too(broker: Broker) -> None:
    broker.publish("deadly")

    for _ in range(4):
        broker.take()
        broker.now += LEASE_S + 1

    assert broker.lengths() == (0, 1)


def test_a_rejected_message_is_a_dead_letter_at_once(broker: Broker) -> None:
    broker.publish("bad")
    taken = broker.take()

    with broker.file.write():
        broker.leases.reject("one", taken)

    [dead] = broker.take(queue="jobs.dead")
    assert dead.headers[DEATH_REASON] == "rejected"


def test_a_dead_letter_waits_while_there_is_no_room_for_it(tmp_path: Path) -> None:
    """Promise: a full dead-letter queue loses nothing and spins nobody."""
    broker = Broker(tmp_path / "broker.db", DEAD_AFTER_TWO, dead_max_length=0)
    broker.publish("poison")

    broker.fail(times=3)

    assert broker.lengths() == (1, 0)
    assert broker.take() == []


def test_a_dead_letter_that_waited_moves_when_there_is_room(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker.db", DEAD_AFTER_TWO, dead_max_length=0)
    broker.publish("poison")
    broker.fail(times=3)
    with broker.file.write():
        broker.queues.declare_queue("jobs.dead", QueueLimits(max_length=10))
    broker.now += PARKED_S + 1

    broker.take()

    assert broker.lengths() == (0, 1)


def test_a_purge_spares_what_is_held(broker: Broker) -> None:
    broker.publish("1", "2")
    broker.take(limit=1)

    with broker.file.write():
        assert broker.queues.purge("jobs") == 1

    assert broker.lengths() == (1, 0)


def test_a_transaction_that_fails_leaves_nothing_half(broker: Broker) -> None:
    letters = (make_letter(exchange=name) for name in ("events", "nobody-declared-this"))

    with pytest.raises(UnknownExchange), broker.file.write():
        [broker.queues.publish([letter]) for letter in letters]

    assert broker.lengths() == (0, 0)


def test_a_file_that_stays_locked_ends_in_an_error(broker: Broker, tmp_path: Path) -> None:
    impatient = SqliteFile(tmp_path / "broker.db", timeout_s=0.05)

    with broker.file.write(), pytest.raises(sqlite3.OperationalError, match="locked"), impatient.write():
        pass

    impatient.close()


def test_a_file_of_a_newer_portus_is_left_alone(broker: Broker, tmp_path: Path) -> None:
    broker.file.connection.execute("PRAGMA user_version=99")

    with pytest.raises(sqlite3.DatabaseError, match="newer Portus"):
        SqliteFile(tmp_path / "broker.db", timeout_s=1)


def test_every_commit_is_synced(broker: Broker) -> None:
    assert broker.file.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert broker.file.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
