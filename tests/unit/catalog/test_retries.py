from datetime import timedelta

import pytest

from services.catalog.domain.retries import MAX_AGE, MAX_REFUSALS, Attempts, next_attempt
from tests.support.catalog import NOON


def test_pauses_grow_up_to_an_hour() -> None:
    pauses, attempts = [], Attempts(since=NOON)
    for _ in range(15):
        following = next_attempt(attempts, refused=False, now=NOON)
        assert following
        attempts = following[0]
        pauses.append((following[1] - NOON).total_seconds())

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]


@pytest.mark.parametrize(("made", "goes_on"), [(MAX_REFUSALS - 2, True), (MAX_REFUSALS - 1, False)])
def test_a_registry_that_keeps_saying_no_is_believed(made: int, goes_on: bool) -> None:
    attempts = Attempts(since=NOON, count=made, refusals=made)

    assert (next_attempt(attempts, refused=True, now=NOON) is not None) is goes_on


@pytest.mark.parametrize(("age", "goes_on"), [(MAX_AGE, True), (MAX_AGE + timedelta(seconds=1), False)])
def test_a_registry_that_is_silent_is_asked_for_a_week(age: timedelta, goes_on: bool) -> None:
    attempts = Attempts(since=NOON, count=500)

    assert (next_attempt(attempts, refused=False, now=NOON + age) is not None) is goes_on
