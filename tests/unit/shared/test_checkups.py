"""A report that anybody may ask for costs the same, however many ask."""

import threading
from collections.abc import Callable

from shared.api.checkups import Checkup, Finding

GOOD = Finding("fine", success=True)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counting(looks: list[int]) -> Callable[[], Finding]:
    def look() -> Finding:
        looks.append(1)
        return Finding(f"look {len(looks)}", success=True)

    return look


def test_a_report_is_good_for_a_while() -> None:
    looks: list[int] = []
    clock = Clock()
    checkup = Checkup({"part": counting(looks)}, kept_for_s=5, now=clock)

    reports = [checkup()["part"].msg for _ in range(100)]
    clock.now_s = 5
    later = checkup()["part"].msg

    assert (set(reports), later, len(looks)) == ({"look 1"}, "look 2", 2)


def test_while_one_looks_the_others_get_the_last_report() -> None:
    clock, looking, go_on = Clock(), threading.Event(), threading.Event()
    slow: list[bool] = []

    def look() -> Finding:
        if slow:
            looking.set()
            go_on.wait(30)
        return GOOD

    checkup = Checkup({"part": look}, kept_for_s=5, now=clock)
    checkup()
    slow.append(True)
    clock.now_s = 5
    one = threading.Thread(target=checkup)
    one.start()
    looking.wait()

    assert [checkup() for _ in range(100)] == [{"part": GOOD}] * 100

    go_on.set()
    one.join()


def test_the_first_callers_share_one_look() -> None:
    looks: list[int] = []
    checkup = Checkup({"part": counting(looks)}, kept_for_s=5, now=Clock())
    reports: list[str] = []

    threads = [threading.Thread(target=lambda: reports.append(checkup()["part"].msg)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert reports == ["look 1"] * 8
