"""The CA's files change while a process runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.auth.signing.authority import AuthorityError
from services.auth.signing.watched_authority import WatchedAuthority
from tests.support.auth import TestClock
from tests.support.authorities import make_ca

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


def watched(folder: Path, clock: TestClock, **options: object) -> WatchedAuthority:
    return WatchedAuthority(make_ca(now=NOW, **options).write(folder), clock=clock)  # type: ignore[arg-type]


def test_files_that_did_not_change_are_not_loaded_again(tmp_path: Path, clock: TestClock) -> None:
    authority = watched(tmp_path, clock)

    assert authority.refresh() is authority.refresh() is authority.current


def test_new_files_are_taken(tmp_path: Path, clock: TestClock) -> None:
    authority = watched(tmp_path, clock)
    renewed = make_ca(now=NOW)
    renewed.write(tmp_path)

    assert authority.refresh().certificate == renewed.certificate
    assert authority.current.certificate == renewed.certificate


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"key": b""}, id="half written"),
        pytest.param({"crt": b"nonsense"}, id="no certificate"),
        pytest.param({"key": make_ca().pem_key()}, id="another key"),
    ],
)
def test_files_that_cannot_be_used_leave_the_one_before(
    tmp_path: Path, clock: TestClock, broken: dict[str, Any]
) -> None:
    authority = watched(tmp_path, clock)
    before = authority.current
    renewed = make_ca(now=NOW)
    renewed.write(tmp_path, **broken)

    assert authority.refresh() is before
    assert "the CA's new files are not used" in (authority.warning() or "")
    assert authority.fault() is None
    renewed.write(tmp_path)

    assert authority.refresh().certificate == renewed.certificate
    assert authority.warning() is None


def test_files_that_vanish_leave_the_one_before(tmp_path: Path, clock: TestClock) -> None:
    authority = watched(tmp_path, clock)
    (tmp_path / "ca.key").unlink()

    assert authority.refresh() is authority.current
    assert "is missing" in (authority.warning() or "")


def test_one_that_is_not_valid_yet_is_taken_when_it_is(tmp_path: Path, clock: TestClock) -> None:
    authority = watched(tmp_path, clock)
    renewed = make_ca(now=NOW, days=(1, 365))
    renewed.write(tmp_path)
    assert authority.refresh().certificate != renewed.certificate

    clock.advance(days=1, seconds=1)

    assert authority.refresh().certificate == renewed.certificate


def test_nothing_starts_with_a_ca_that_has_ended(tmp_path: Path, clock: TestClock) -> None:
    with pytest.raises(AuthorityError, match="has expired"):
        watched(tmp_path, clock, days=(-9, -1))


@pytest.mark.parametrize(
    ("days", "warns_before"),
    [
        pytest.param((-3000, 650), timedelta(days=30), id="ten years"),
        # cert-manager renews it 30 days before its end; a warning then says that this has failed.
        pytest.param((-1, 89), timedelta(days=22.5), id="ninety days"),
        pytest.param((-0.5, 0.5), timedelta(hours=6), id="a day"),
    ],
)
def test_its_end_is_told_in_time(
    tmp_path: Path, clock: TestClock, days: tuple[float, float], warns_before: timedelta
) -> None:
    authority = watched(tmp_path, clock, days=days)
    clock.now = authority.current.expires_at - warns_before
    with capture_logs() as quiet:
        authority.refresh()
    assert (quiet, authority.warning()) == ([], None)

    clock.advance(seconds=1)
    with capture_logs() as logged:
        for _ in range(3):
            authority.refresh()

    assert [entry["event"] for entry in logged] == ["authority.ends_soon"]
    assert "renew it" in (authority.warning() or "")
    assert authority.fault() is None


def test_a_warning_is_repeated_daily(tmp_path: Path, clock: TestClock) -> None:
    authority = watched(tmp_path, clock, days=(-3000, 20))
    with capture_logs() as logged:
        for _ in range(48):
            authority.refresh()
            clock.advance(hours=1)

    assert len(logged) == 2


def test_that_it_has_ended_is_a_fault(tmp_path: Path, clock: TestClock) -> None:
    authority = watched(tmp_path, clock, days=(-1, 1))
    assert authority.fault() is None

    clock.advance(days=2)

    assert f"the CA in {tmp_path} has expired" in (authority.fault() or "")
