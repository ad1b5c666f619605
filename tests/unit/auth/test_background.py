"""Notes are written beside the requests: in order, in batches, without ever making anybody wait."""

import threading
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy.exc import OperationalError

from services.auth.metrics import NOTES_DROPPED
from services.auth.usecases.background import BATCH_SIZE, Background
from tests.support.waiting import wait_until

AT_LEISURE = 3600
"""Seconds to gather: nothing is written unless a test says so."""


class Store:
    """Takes numbers, as a database would; refuses negative ones, and everything while it is away."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.away = False

    def __call__(self, batch: Sequence[int]) -> None:
        if self.away:
            raise OperationalError("INSERT", {}, Exception("connection refused"))
        if any(number < 0 for number in batch):
            raise ValueError("no negative numbers")
        self.batches.append(list(batch))

    @property
    def numbers(self) -> list[int]:
        return [number for batch in self.batches for number in batch]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def background(store: Store) -> Iterator[Background[int]]:
    background = Background(store, capacity=10, gather_s=AT_LEISURE)
    yield background
    background.close()


def dropped(reason: str) -> float:
    return float(NOTES_DROPPED.labels(reason)._value.get())


def test_a_thread_writes_what_is_put(store: Store) -> None:
    background = Background(store, gather_s=0)

    background.put(1)
    wait_until(lambda: store.numbers == [1], what="the first note is written")
    background.put(2)
    wait_until(lambda: store.numbers == [1, 2], what="the second note is written")

    background.close()


def test_nothing_runs_before_the_first_note(store: Store) -> None:
    """A server forks after it has built the application: a thread made before would be left behind."""
    before = threading.active_count()

    background = Background(store, gather_s=AT_LEISURE)

    assert threading.active_count() == before
    background.close()


def test_notes_are_written_in_order_and_in_batches(store: Store) -> None:
    background = Background(store, gather_s=AT_LEISURE)
    numbers = list(range(2 * BATCH_SIZE + 1))
    for number in numbers:
        background.put(number)

    assert background.flush()

    assert store.numbers == numbers
    assert [len(batch) for batch in store.batches] == [BATCH_SIZE, BATCH_SIZE, 1]
    background.close()


def test_what_does_not_fit_is_dropped_and_counted(store: Store, background: Background[int]) -> None:
    before = dropped("full")

    for number in range(12):
        background.put(number)
    background.flush()

    assert store.numbers == list(range(10))
    assert dropped("full") == before + 2


def test_a_heavy_note_takes_the_room_of_several(store: Store, background: Background[int]) -> None:
    background.put(1, weight=8)
    background.put(2, weight=3)
    background.put(3, weight=2)
    background.flush()

    assert store.numbers == [1, 3]


def test_there_is_room_again_when_notes_are_written(store: Store, background: Background[int]) -> None:
    for number in range(30):
        background.put(number)
        background.flush()

    assert store.numbers == list(range(30))


def test_an_outage_keeps_what_fits(store: Store, background: Background[int]) -> None:
    store.away = True
    for number in range(12):
        background.put(number)
        assert not background.flush()

    store.away = False

    assert background.flush()
    assert store.numbers == list(range(10))


def test_what_comes_while_others_are_written_waits_for_its_turn() -> None:
    """Or under load the thread would write a few notes at a time without ever resting."""
    written: list[int] = []

    def write(batch: Sequence[int]) -> None:
        written.extend(batch)
        notes.put(batch[-1] + 1)

    notes: Background[int] = Background(write, gather_s=AT_LEISURE)
    notes.put(1)

    assert notes.flush()
    assert written == [1]
    assert notes.flush()
    assert written == [1, 2]

    notes.close()


def test_the_thread_tries_again_after_an_outage(store: Store) -> None:
    background = Background(store, gather_s=0.01)
    store.away = True
    background.put(1)

    store.away = False

    wait_until(lambda: store.numbers == [1], what="the note is written when the database is back")
    background.close()


def test_a_note_that_is_refused_takes_no_other_with_it(store: Store, background: Background[int]) -> None:
    before = dropped("refused")
    for number in (1, 2, -3, 4, 5, -6):
        background.put(number)

    assert background.flush()

    assert store.numbers == [1, 2, 4, 5]
    assert dropped("refused") == before + 2


def test_closing_writes_what_waits(store: Store) -> None:
    background = Background(store, gather_s=AT_LEISURE)
    background.put(1)

    background.close()

    assert store.numbers == [1]


def test_closing_without_a_database_counts_what_is_lost(store: Store) -> None:
    background, before = Background(store, gather_s=AT_LEISURE), dropped("shutdown")
    store.away = True
    for number in range(3):
        background.put(number)

    background.close()

    assert dropped("shutdown") == before + 3
