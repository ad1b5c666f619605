"""Work that one thread does for all who wait."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.combining import Combined


class Worker:
    """Doubles numbers, a batch at a time; holds the first batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began, self.go_on = threading.Event(), threading.Event()

    def double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(numbers))
        self.began.set()
        assert self.go_on.wait(10)
        if 13 in numbers:
            raise ValueError("not that one")
        return [2 * number for number in numbers]


def do_all(combined: Combined[int, int], worker: Worker, numbers: Sequence[int]) -> list[int | str]:
    """Do the first alone, and all others while it is held; a fault counts as its text."""

    def do(number: int) -> int | str:
        try:
            return combined.do(number)
        except ValueError as fault:
            return str(fault)

    with ThreadPoolExecutor(len(numbers)) as pool:
        first = pool.submit(do, numbers[0])
        assert worker.began.wait(10)
        others = [pool.submit(do, number) for number in numbers[1:]]
        while len(combined._waiting) < len(others):
            pass
        worker.go_on.set()
        return [first.result(), *(other.result() for other in others)]


def test_whoever_waits_is_served_together() -> None:
    worker = Worker()

    done = do_all(Combined(worker.double, limit=100), worker, range(8))

    assert done == [0, 2, 4, 6, 8, 10, 12, 14]
    assert [len(batch) for batch in worker.batches] == [1, 7]


def test_never_more_than_the_limit() -> None:
    worker = Worker()

    done = do_all(Combined(worker.double, limit=3), worker, range(8))

    assert done == [0, 2, 4, 6, 8, 10, 12, 14]
    assert [len(batch) for batch in worker.batches] == [1, 3, 3, 1]


def test_a_fault_is_that_of_the_one_who_is_to_blame() -> None:
    worker = Worker()

    done = do_all(Combined(worker.double, limit=100), worker, [1, 2, 13, 3])

    assert done == [2, 4, "not that one", 6]


def test_a_fault_is_raised_where_the_work_was_wanted() -> None:
    worker = Worker()
    worker.go_on.set()

    with pytest.raises(ValueError, match="not that one"):
        Combined(worker.double, limit=3).do(13)


def test_a_fault_that_is_nobodys_is_everybodys() -> None:
    """A database that is away would be waited for once for each of them otherwise."""
    worker = Worker()

    done = do_all(Combined(worker.double, limit=100, blameless=(ValueError,)), worker, [1, 2, 13, 3])

    assert done == [2, *["not that one"] * 3]
    assert [len(batch) for batch in worker.batches] == [1, 3]


def test_work_that_forgets_a_result_is_a_fault() -> None:
    with pytest.raises(ValueError, match="zip"):
        Combined[int, int](lambda numbers: numbers[1:], limit=3).do(1)


def test_nobody_waits_longer_than_said() -> None:
    worker = Worker()
    combined = Combined(worker.double, limit=100)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(combined.do, 1)
        assert worker.began.wait(10)

        with pytest.raises(TimeoutError):
            combined.do(2, patience_s=0.01)

        worker.go_on.set()
        assert first.result(10) == 2
    assert combined.do(3) == 6
    assert worker.batches == [[1], [3]]


def test_who_came_meanwhile_leads_on_one_after_the_other() -> None:
    worker = Worker()

    done = do_all(Combined(worker.double, limit=1), worker, range(5))

    assert done == [0, 2, 4, 6, 8]
    assert [len(batch) for batch in worker.batches] == [1, 1, 1, 1, 1]


def test_many_threads_are_all_served_each_once() -> None:
    done = list[int]()

    def double(numbers: Sequence[int]) -> Sequence[int]:
        done.extend(numbers)
        return [2 * number for number in numbers]

    combined = Combined(double, limit=3)
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(combined.do, range(5000)))

    assert results == [2 * number for number in range(5000)]
    assert sorted(done) == list(range(5000))
