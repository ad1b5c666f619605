"""Dead letters in the database: kept whatever they hold, and forgotten only when their queue has them again."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.storage.dead_letters import (
    DeadLetterRow,
    count_by_queue,
    count_letters,
    find_letter,
    list_letters,
    request_replay,
)
from services.notifier.usecases.keep_dead_letters import POSTPONED_FOR, keep_dead_letters, return_due_letters
from shared.api.paging import ListRequest
from shared.contracts.events import dump_envelope
from shared.database import Database
from shared.messaging.consumer import Unavailable
from shared.messaging.dead_letters import DeadLetter
from tests.storage.notifier.test_quarantine import NOW
from tests.support.messages import make_envelope


def letter(id: str = "a", *, queue: str = "catalog.notifications", reason: str = "no good") -> DeadLetter:
    return DeadLetter(queue, json.dumps(dump_envelope(make_envelope(id))).encode(), reason)


def keep(database: Database, *letters: DeadLetter, max_kept: int = 100) -> None:
    keep_dead_letters(letters, database=database, clock=lambda: NOW, max_kept=max_kept)


def shown(database: Database) -> list[DeadLetterRow]:
    with database.read() as connection:
        return list(list_letters(connection, ListRequest()).rows)


def count(database: Database) -> int:
    with database.read() as connection:
        return count_letters(connection)


def replay_all(database: Database) -> None:
    with database.write() as connection:
        request_replay(connection, {}, now=NOW)


class Broker:
    """Takes letters, or says why not."""

    def __init__(self, *refusals: str) -> None:
        self.sent: list[str] = []
        self._refusals = refusals

    def __call__(self, letters: Sequence[DeadLetter]) -> list[str | None]:
        ids = [json.loads(letter.body)["id"] for letter in letters]
        self.sent += ids
        return ["the broker refused it" if id in self._refusals else None for id in ids]


def test_a_letter_is_kept_with_what_its_message_says(database: Database) -> None:
    keep(database, letter())

    (row,) = shown(database)
    assert (row.queue, row.reason, row.died_at, row.deaths) == ("catalog.notifications", "no good", NOW, 1)
    assert (row.message_id, row.source, row.type) == ("a", "registry/localhost:5000", "registry.notification.v1")
    with database.read() as connection:
        found = find_letter(connection, row.id)
    assert found is not None
    assert found.body == letter().body


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=50)
    | st.builds(lambda value: json.dumps(value).encode(), st.recursive(st.none() | st.text(max_size=9), st.lists))
    | st.builds(lambda id: json.dumps({"id": id, "type": id}).encode(), st.none() | st.integers() | st.text()),
    reason=st.text() | st.just("\ud800\x00"),
)
def test_whatever_a_letter_holds_it_is_kept(database: Database, body: bytes, reason: str) -> None:
    """One that nobody can keep would stay at the head of its queue for ever."""
    before = count(database)

    keep(database, DeadLetter(f"queue-{before}", body, reason), max_kept=10_000)

    assert count(database) == before + 1


def test_a_letter_that_dies_again_is_one_letter(database: Database) -> None:
    keep(database, letter(), letter())
    keep(database, letter(reason="still no good"))

    (row,) = shown(database)
    assert (row.deaths, row.reason) == (2, "still no good")


def test_the_same_message_in_two_queues_is_two_letters(database: Database) -> None:
    keep(database, letter(), letter(queue="notifier.events"))

    with database.read() as connection:
        assert count_by_queue(connection) == {"catalog.notifications": 1, "notifier.events": 1}


def test_when_there_is_no_room_they_stay_where_they_are(database: Database) -> None:
    keep(database, letter("a"), max_kept=1)

    with pytest.raises(Unavailable, match="replay or drop"):
        keep(database, letter("b"), max_kept=1)

    assert len(shown(database)) == 1


def test_nothing_is_returned_unless_it_was_asked_for(database: Database) -> None:
    keep(database, letter())

    assert return_due_letters(Broker(), database=database, clock=lambda: NOW).returned == 0


def test_what_its_queue_has_confirmed_is_forgotten(database: Database) -> None:
    keep(database, letter("a"), letter("b"))
    replay_all(database)
    broker = Broker()

    done = return_due_letters(broker, database=database, clock=lambda: NOW)

    assert (done.returned, broker.sent, shown(database)) == (2, ["a", "b"], [])


def test_what_its_queue_refuses_stays_and_is_tried_again_later(database: Database) -> None:
    keep(database, letter("a"), letter("b"))
    replay_all(database)

    return_due_letters(Broker("a"), database=database, clock=lambda: NOW)

    assert [(row.message_id, row.replaying) for row in shown(database)] == [("a", True)]
    broker = Broker()
    return_due_letters(broker, database=database, clock=lambda: NOW)
    assert broker.sent == []
    return_due_letters(broker, database=database, clock=lambda: NOW + POSTPONED_FOR)
    assert (broker.sent, shown(database)) == (["a"], [])


def test_a_crash_before_it_is_forgotten_sends_it_again(database: Database) -> None:
    class Crash(Exception): ...

    keep(database, letter("a"))
    replay_all(database)
    broker = Broker()

    def send_and_crash(letters: Sequence[DeadLetter]) -> list[str | None]:
        broker(letters)
        raise Crash

    with pytest.raises(Crash):
        return_due_letters(send_and_crash, database=database, clock=lambda: NOW)
    return_due_letters(broker, database=database, clock=lambda: NOW)

    assert (broker.sent, shown(database)) == (["a", "a"], [])


def test_a_letter_that_dies_again_while_it_is_returned_is_not_forgotten(database: Database) -> None:
    keep(database, letter("a"))
    replay_all(database)

    def send_and_bury(letters: Sequence[DeadLetter]) -> list[str | None]:
        keep(database, letter("a", reason="again"))
        return [None for _ in letters]

    return_due_letters(send_and_bury, database=database, clock=lambda: NOW + timedelta(seconds=1))

    (row,) = shown(database)
    assert (row.deaths, row.reason, row.replaying) == (2, "again", False)


def test_ids_are_never_given_twice(database: Database) -> None:
    keep(database, letter("a"))
    first = shown(database)[0].id
    replay_all(database)
    return_due_letters(Broker(), database=database, clock=lambda: NOW)

    keep(database, letter("b"))

    assert shown(database)[0].id > first
    with database.read() as connection:
        assert count_letters(connection, {"id": first}) == 0
