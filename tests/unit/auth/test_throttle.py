from datetime import UTC, datetime, timedelta

import pytest

from services.auth.domain.throttle import (
    ADDRESS_LIMIT,
    PAIR_LIMIT,
    Failures,
    FailureState,
    address_key,
    wait_s,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (8, 8), (14, 512), (15, 900), (16, 900), (10_000, 900)],
)
def test_wrong_passwords_for_one_account_slow_down_the_address_they_come_from(failures: int, seconds: int) -> None:
    assert wait_s(FailureState(pair=Failures(failures, NOW)), NOW) == seconds


@pytest.mark.parametrize(("failures", "seconds"), [(49, 0), (50, 1), (55, 32), (56, 60), (10_000, 60)])
def test_wrong_passwords_for_many_accounts_slow_down_the_address(failures: int, seconds: int) -> None:
    assert wait_s(FailureState(address=Failures(failures, NOW)), NOW) == seconds


def test_the_longer_wait_counts() -> None:
    state = FailureState(
        pair=Failures(PAIR_LIMIT.free_failures + 3, NOW), address=Failures(ADDRESS_LIMIT.free_failures, NOW)
    )

    assert wait_s(state, NOW) == 8


@pytest.mark.parametrize(("passed_s", "left_s"), [(0, 8), (0.5, 8), (7, 1), (7.5, 1), (8, 0), (3600, 0)])
def test_the_wait_runs_out(passed_s: float, left_s: int) -> None:
    state = FailureState(pair=Failures(8, NOW))

    assert wait_s(state, NOW + timedelta(seconds=passed_s)) == left_s


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix:", "unix:"),
        ("x" * 100, "x" * 64),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_caller(address: str, key: str) -> None:
    assert address_key(address) == key
