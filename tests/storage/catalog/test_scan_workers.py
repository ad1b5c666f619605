"""Who scans what, and what becomes of it when a worker goes."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from services.catalog.clients.scanner import ScannerClient
from services.catalog.domain.scans import DEFAULT_SCANNER, MAX_STUMBLES, Report, ScanState
from services.catalog.storage.leases import take_lease
from services.catalog.storage.pending import drop_pending
from services.catalog.storage.scan_planning import drop_scans, enlist
from services.catalog.storage.scan_tables import scans
from services.catalog.storage.scans import claim_scan
from services.catalog.usecases.plan_scans import ScanPlanner
from services.catalog.usecases.scan_manifests import LEASE_TTL, Turn
from services.catalog.usecases.scanner import NotReady
from tests.support.catalog import digest_of, moment, new_index, push
from tests.support.scan_house import PERIOD, House
from tests.support.scanner_adapter import vulnerability


class Killed(BaseException):
    """What becomes of a process that is killed: nothing of it is handled."""


class Killing(ScannerClient):
    """Kills whoever asks for a report."""

    def find_report(self, scan: str, report_type: str) -> Report | NotReady:
        raise Killed


class Breaking(ScannerClient):
    """Stumbles over every report."""

    def find_report(self, scan: str, report_type: str) -> Report | NotReady:
        raise RuntimeError("what nobody has thought of")


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


def test_a_scan_that_ends_every_worker_fails_and_is_left_alone_for_ever_longer(house: House) -> None:
    digest = house.image()
    house.plan()
    for _ in range(MAX_STUMBLES):
        with pytest.raises(Killed):
            house.scanner(kind=Killing).scan_next(0, "worker")
        house.ahead += LEASE_TTL + timedelta(seconds=1)

    assert house.scanner(kind=Killing).scan_next(0, "worker") is Turn.DONE

    first = house.scan(digest)
    assert (first.state, first.reason) == (ScanState.FAILED, "Whoever scanned it came to an end over it.")
    assert first.due_at is not None
    assert first.due_at > house.clock()
    house.ahead += PERIOD
    with pytest.raises(Killed):
        house.scanner(kind=Killing).scan_next(0, "worker")
    house.ahead += LEASE_TTL + timedelta(seconds=1)
    assert house.scanner(kind=Killing).scan_next(0, "worker") is Turn.DONE
    assert house.scan(digest).state is ScanState.FAILED


def test_a_scan_that_breaks_our_reading_fails_and_the_others_go_on(house: House) -> None:
    first, second = house.image("1.0"), house.image("2.0")

    assert house.work(house.scanner(kind=Breaking)) == [Turn.DONE, Turn.DONE]

    scans = [house.scan(one) for one in (first, second)]
    assert [scan.state for scan in scans] == [ScanState.FAILED] * 2
    assert {scan.reason for scan in scans} == {"The scan broke off: see the log of the worker."}


def test_what_another_worker_has_taken_is_not_dropped(house: House) -> None:
    house.image()
    house.plan()

    def overtake() -> None:
        house.ahead += LEASE_TTL + timedelta(seconds=1)
        now = house.clock()
        with house.database.write() as connection:
            claim_scan(connection, DEFAULT_SCANNER, run="another", now=now, until=now + LEASE_TTL)
        house.deleted(tag="1.0")

    house.adapter.meanwhile = overtake
    house.scanner().scan_next(0, "worker")

    assert house.count_rows()[0] == 1


def test_whoever_drops_scans_passes_over_those_that_somebody_writes(postgresql_url: str) -> None:
    database = new_index(postgresql_url)
    with database.write() as connection:
        enlist(connection, DEFAULT_SCANNER, [(digest_of("app"), moment(0)), (digest_of("other"), moment(1))])
        ids = connection.scalars(select(scans.c.id)).all()

    with database.write() as one, database.write() as other:
        claim_scan(one, DEFAULT_SCANNER, run="us", now=moment(2), until=moment(3))
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        dropped = drop_scans(other, ids)

    assert dropped == 1
    database.dispose()


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
    with house.database.read() as connection:
        assert connection.scalars(select(scans.c.again)).all() == [False]


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


def test_a_manifest_that_never_came_has_failed(house: House) -> None:
    digest = digest_of("nobody has it")
    house.tell(push("1.0", digest, 1))
    with house.database.write() as connection:
        drop_pending(connection, [digest])

    house.work()

    scan = house.scan(digest)
    assert (scan.state, scan.reason) == (ScanState.FAILED, "The registry does not have the manifest.")
