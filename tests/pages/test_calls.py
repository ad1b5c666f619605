"""How often a page asks other services."""

from collections.abc import Callable

from tests.pages.conftest import House
from tests.pages.world import PAGES

MAX_CALLS = 6


def test_no_page_asks_more_often_than_it_may(world: tuple[House, str], show_figures: Callable[[str], None]) -> None:
    """Prints the calls of each page; who is looking has been asked before."""
    house, digest = world
    jane, counts = house.sign_in("jane"), dict[str, int]()
    jane.read("/explore")

    for name, path in PAGES.items():
        house.calls.asked.clear()
        jane.read(path.format(digest=digest))
        counts[name] = len(house.calls.asked)

    shown = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))
    show_figures(f"calls to other services by page: {shown}")
    assert {name: count for name, count in counts.items() if count > MAX_CALLS} == {}


def test_no_list_asks_for_each_of_its_rows(world: tuple[House, str]) -> None:
    house, _digest = world
    jane = house.sign_in("jane")

    def calls() -> int:
        house.calls.asked.clear()
        jane.read("/repositories")
        return len(house.calls.asked)

    calls()
    before = calls()
    house.push("docks/barge", "1.0")
    house.push("docks/ferry", "1.0")

    assert calls() == before
