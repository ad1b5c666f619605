from threading import Event

import pytest

from shared.commands import run_tasks


def test_all_tasks_run_until_they_are_stopped() -> None:
    stop, ran = Event(), []

    def first(stop: Event) -> None:
        ran.append("first")
        stop.wait(30)

    def second(stop: Event) -> None:
        ran.append("second")
        stop.set()

    run_tasks({"first": first, "second": second}, stop)

    assert sorted(ran) == ["first", "second"]


def test_a_task_that_dies_ends_the_others_and_the_process() -> None:
    def die(_stop: Event) -> None:
        raise RuntimeError("a bug")

    def work(stop: Event) -> None:
        stop.wait(30)

    stop = Event()

    with pytest.raises(SystemExit):
        run_tasks({"dying": die, "working": work}, stop)

    assert stop.is_set()
