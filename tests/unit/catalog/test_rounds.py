"""When the next round is due, and how much of the index it verifies."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.rounds import Rhythm, Strategy
from tests.support.catalog import moment

HOUR = timedelta(hours=1)
NOW = moment(0)
STARTED = NOW - 5 * HOUR


@pytest.mark.parametrize(
    ("strategy", "ago_h", "due"),
    [
        (Strategy.INITIAL, 100, False),
        (Strategy.ON_START, 6, True),
        (Strategy.ON_START, 4, False),
        (Strategy.UPDATE, 2, True),
        (Strategy.UPDATE, 0.5, False),
        (Strategy.UPDATE_DELETE, 2, True),
    ],
)
def test_a_round_comes_when_the_strategy_says_so(strategy: Strategy, ago_h: float, due: bool) -> None:
    finished = NOW - ago_h * HOUR

    assert Rhythm(strategy, HOUR).is_due(last_finished_at=finished, started_at=STARTED, now=NOW) is due


@pytest.mark.parametrize("strategy", Strategy)
def test_no_round_comes_before_the_first_crawl(strategy: Strategy) -> None:
    assert not Rhythm(strategy, HOUR).is_due(last_finished_at=None, started_at=STARTED, now=NOW)


def test_only_one_strategy_removes() -> None:
    assert [strategy for strategy in Strategy if strategy.removes] == [Strategy.UPDATE_DELETE]


@given(st.integers(0, 100_000), st.integers(10, 10**7), st.integers(1, 365))
def test_within_the_period_every_repository_is_verified(repositories: int, every_s: int, days: int) -> None:
    rhythm = Rhythm(every=timedelta(seconds=every_s), verify_within=timedelta(days=days))
    rounds = max(1, int(rhythm.verify_within / rhythm.every))

    assert repositories <= rhythm.share(repositories) * (rounds + 1)
    assert rhythm.share(repositories) <= repositories
