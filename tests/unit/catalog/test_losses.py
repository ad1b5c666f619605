"""When events may have been lost."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.losses import (
    ARRIVES_WITHIN,
    SUSPECTED_FOR,
    Account,
    Counts,
    Instance,
    Reason,
    Sighting,
    balance,
    suspect_restart,
    suspects_of,
)
from tests.support.catalog import moment

NOW = moment(10_000)
LONG_AGO = NOW - SUSPECTED_FOR


def instance(id: str, at: float = 0, *, registry: str = "here", superseded_s_ago: float | None = None) -> Instance:
    superseded = None if superseded_s_ago is None else NOW - timedelta(seconds=superseded_s_ago)
    return Instance(id, registry, moment(at), superseded)


def newcomer(at: float = 100, *, registry: str = "here") -> Sighting:
    return Sighting("new", registry, moment(at), moment(at), 1)


@pytest.mark.parametrize(
    ("known", "suspected"),
    [
        pytest.param([], [], id="the first of all"),
        pytest.param([instance("a")], ["a"], id="the one before"),
        pytest.param([instance("a"), instance("b")], ["a", "b"], id="all replicas"),
        pytest.param([instance("a", superseded_s_ago=60)], ["a"], id="one that may still live"),
        pytest.param([instance("a", superseded_s_ago=4000)], [], id="one that ended long ago"),
        pytest.param([instance("a"), instance("b", registry="there")], ["a"], id="not those of another registry"),
        pytest.param([instance("b", registry="there")], ["b"], id="by another name if there is none of this"),
    ],
)
def test_who_may_have_ended(known: list[Instance], suspected: list[str]) -> None:
    assert [one.id for one in suspects_of(newcomer(), known, now=NOW)] == suspected


def test_what_was_lost_came_after_what_arrived_last_and_before_the_newcomer() -> None:
    suspicion = suspect_restart(newcomer(100), [instance("a", 50), instance("b", 20)])

    assert suspicion is not None
    assert (suspicion.reason, suspicion.registry) == (Reason.RESTART, "here")
    assert (suspicion.since, suspicion.until) == (moment(20), moment(100))
    assert suspicion.repositories is None


def test_a_window_never_ends_before_it_begins() -> None:
    """Clocks of two machines differ."""
    suspicion = suspect_restart(newcomer(10), [instance("a", 50)])

    assert suspicion is not None
    assert (suspicion.since, suspicion.until) == (moment(50), moment(50))


def test_the_first_process_of_all_is_no_restart() -> None:
    assert suspect_restart(newcomer(), []) is None


def read(*readings: tuple[int, int]) -> list[int]:
    """Return what is missing after each reading (sent, arrived), taken a little more than the grace apart."""
    step, found, account = ARRIVES_WITHIN + timedelta(seconds=1), [], None
    for number, (sent, arrived) in enumerate(readings):
        reading = Counts(NOW + number * step, sent, arrived)
        account, missing = balance(account, reading) if account else (Account(reading, reading), 0)
        found.append(missing)
    return found


@pytest.mark.parametrize(
    ("readings", "missing"),
    [
        pytest.param([(0, 0), (5, 5), (9, 9)], [0, 0, 0], id="all arrived"),
        pytest.param([(0, 0), (5, 3), (5, 5), (9, 9)], [0, 0, 0, 0], id="late, but in time"),
        pytest.param([(0, 0), (5, 3), (5, 3)], [0, 0, 2], id="two are missing"),
        pytest.param([(0, 0), (5, 3), (5, 3), (9, 7), (9, 7)], [0, 0, 2, 0, 0], id="told once"),
        pytest.param([(0, 0), (5, 3), (5, 3), (9, 6), (9, 6)], [0, 0, 2, 0, 1], id="and the next one too"),
        pytest.param([(100, 7), (105, 12), (105, 12)], [0, 0, 0], id="what was before we came does not count"),
    ],
)
def test_what_was_sent_and_did_not_arrive_is_missing(readings: list[tuple[int, int]], missing: list[int]) -> None:
    assert read(*readings) == missing


def test_nothing_is_missing_before_it_had_time_to_arrive() -> None:
    account = Account(Counts(NOW, 0, 0), Counts(NOW, 5, 0))

    after, missing = balance(account, Counts(NOW + ARRIVES_WITHIN / 2, 9, 0))

    assert (after, missing) == (account, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_no_more_is_missing_than_was_lost(steps: list[tuple[int, int]]) -> None:
    """Each step: so many are sent, and so many of them are lost; the rest arrives before the next reading."""
    sent = arrived = lost = 0
    readings = [(0, 0)]
    for more, gone in steps:
        gone = min(more, gone)
        sent, arrived, lost = sent + more, arrived + more - gone, lost + gone
        readings.append((sent, arrived))
    readings += [(sent, arrived)] * 2

    assert sum(read(*readings)) == lost
