"""Who scans what, and what becomes of it when a worker goes."""

from datetime import timedelta

import pytest

from services.catalog.clients.scanner import ScannerClient
from services.catalog.domain.scans import DEFAULT_SCANNER, Report, ScanState
from services.catalog.storage.leases import take_lease
from services.catalog.usecases.plan_scans import ScanPlanner
from services.catalog.usecases.scan_manifests import LEASE_TTL, Turn
from services.catalog.usecases.scanner import NotReady
from tests.support.catalog import digest_of, push
from tests.support.scan_house import PERIOD, House
from tests.support.scanner_adapter import vulnerability


class Killed(BaseException):
    """What becomes of a process that is killed: nothing of it is handled."""


class Killing(ScannerClient):
    """Kills whoever asks for a report."""

    def find_report(self, scan: str, report_type: str) -> Report | NotReady:
        raise Killed


def test_the_newest_push_goes_first_and_what_was_scanned_before_comes_last(house: House) -> None:
    first = house.image("first")
    house.work()
    house.ahead += PERIOD
    second, third = house.image("second"), house.image("third")

    house.work()

    assert house.adapter.digests == [first, third, second, first]


def test_as_many_scans_run_as_there_are_places(house: House) -> None:
    house.image()
    house.plan()
    with house.database.write() as connection:
        take_lease(connection, "scans-0", "another", now=house.clock(), ttl=LEASE_TTL)
    scanner = house.scanner()

    assert scanner.scan_next(0, "worker") is Turn.IDLE
    assert scanner.scan_next(1, "worker") is Turn.DONE


def test_a_scan_is_given_to_one_worker_only(house: House) -> None:
    digest = house.image()
    house.plan()

    turns: list[Turn] = []

    house.adapter.meanwhile = lambda: turns.append(house.scanner().scan_next(1, "another"))
    house.scanner().scan_next(0, "worker")

    assert (turns, house.adapter.digests) == ([Turn.IDLE], [digest])


def test_a_scan_whose_worker_is_gone_is_taken_up_again(house: House) -> None:
    digest = house.image()
    house.plan()

    with pytest.raises(Killed):
        house.scanner(kind=Killing).scan_next(0, "worker")
    assert house.scan(digest).state is ScanState.WORKING
    assert house.work() == []

    house.ahead += LEASE_TTL + timedelta(seconds=1)
    house.work()

    assert house.scan(digest).state is ScanState.DONE


def test_a_worker_that_comes_back_too_late_changes_nothing(house: House) -> None:
    house.adapter.findings[""] = [vulnerability("CVE-OLD")]
    digest = house.image()
    house.plan()

    def overtake() -> None:
        house.ahead += LEASE_TTL + timedelta(seconds=1)
        house.adapter.findings[""] = [vulnerability("CVE-NEW")]
        house.scanner().scan_next(1, "another")
        house.adapter.findings[""] = [vulnerability("CVE-OLD")]

    house.adapter.meanwhile = overtake
    house.scanner().scan_next(0, "worker")

    assert house.found(digest) == ["CVE-NEW"]


def test_a_worker_that_ends_gives_back_what_it_has_begun(house: House) -> None:
    house.adapter.not_ready = [{"Refresh-After": "5"}] * 10
    digest = house.image()
    house.plan()

    house.adapter.meanwhile = house.stop.set
    house.scanner().scan_next(0, "worker")

    scan = house.scan(digest)
    assert (scan.state, scan.due_at is not None and scan.due_at <= house.clock()) == (ScanState.NONE, True)


def test_one_planner_plans_for_all(house: House) -> None:
    house.image()
    planners = [ScanPlanner(DEFAULT_SCANNER, holder=name, database=house.database, clock=house.clock) for name in "ab"]

    planners[0].plan()
    house.image("2.0")
    planners[1].plan()

    assert house.count_rows()[0] == 1


def test_a_manifest_that_is_not_read_yet_waits(house: House) -> None:
    house.tell(push("1.0", digest_of("nobody has it"), 1))

    house.work()

    scan = house.scan(digest_of("nobody has it"))
    assert (scan.state, house.adapter.calls) == (ScanState.NONE, [])
    assert "not been read" in (scan.reason or "")
