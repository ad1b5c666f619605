"""A scanner that answers oddly, says too much, or answers for all digests but one."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.catalog.clients.scanner import ASK_AFTER_S
from services.catalog.domain.scans import MAX_STUMBLES, ScanState
from services.catalog.usecases.scan_manifests import Turn
from services.catalog.usecases.scanner import NotReady
from tests.support.ports import free_port
from tests.support.scan_house import PERIOD, House
from tests.support.scanner_adapter import REPORT


@pytest.mark.parametrize("location", ["http://[bad", "//[bad/report"])
def test_a_place_that_is_no_address_is_no_place_to_wait_for(house: House, location: str) -> None:
    house.adapter.not_ready = [{"Location": location}]
    digest = house.image()

    house.work()

    scan = house.scan(digest)
    assert (scan.state, scan.reason) == (
        ScanState.FAILED,
        "The scanner sends us elsewhere (302), where we do not go.",
    )


def test_a_report_that_needs_more_memory_than_a_worker_has_is_not_read(house: House) -> None:
    house.adapter.report = b" " * (20 * 1024 * 1024 + 1)
    digest = house.image()

    house.work()

    scan = house.scan(digest)
    assert (scan.state, scan.reason) == (ScanState.FAILED, "The scanner's answer has more than 20971520 bytes.")


@pytest.mark.parametrize("header", ["Refresh-After", "Retry-After"])
@pytest.mark.parametrize("said", ["nan", "inf", "-inf", "1e999", "soon"])
def test_a_pause_that_is_no_number_was_not_said(house: House, header: str, said: str) -> None:
    house.adapter.scans["one"] = {}
    house.adapter.not_ready = [{header: said}]

    assert house.client().find_report("one", REPORT) == NotReady(ASK_AFTER_S)


def test_what_a_scanner_says_is_for_the_log_and_without_what_it_pulls_with(house: House) -> None:
    house.adapter.scan_status = 500
    house.adapter.words = "cannot pull secret/vault with {authorization} of http://me:hidden@registry"
    digest = house.image()

    with capture_logs() as logs:
        house.work()

    assert house.scan(digest).reason == "The scanner answers 500."
    (said,) = [entry["said"] for entry in logs if entry["event"] == "scanner.refused"]
    assert said == "cannot pull secret/vault with *** of http://***@registry"
    assert "secret/vault" not in str([entry for entry in logs if entry["event"] != "scanner.refused"])


def test_a_digest_for_which_alone_a_scanner_does_not_answer_has_failed_in_the_end(house: House) -> None:
    house.adapter.scan_status = 503
    digest = house.image()
    states = []
    for _ in range(MAX_STUMBLES):
        assert house.work() == [Turn.AWAY]
        states.append(house.scan(digest).state)
        house.ahead += PERIOD

    assert states == [*[ScanState.NONE] * (MAX_STUMBLES - 1), ScanState.FAILED]
    assert house.scan(digest).reason == "The scanner answers 503."
    house.work()
    assert house.scan(digest).state is ScanState.FAILED
    house.adapter.scan_status = 202
    house.ahead += PERIOD
    house.work()
    assert house.scan(digest).state is ScanState.DONE


def test_a_scanner_that_is_away_for_long_is_no_fault_of_a_digest(house: House) -> None:
    digest, away = house.image(), house.scanner(f"http://127.0.0.1:{free_port()}")

    for _ in range(2 * MAX_STUMBLES):
        assert house.work(away) == [Turn.AWAY]
        house.ahead += timedelta(hours=1)

    assert house.scan(digest).state is ScanState.NONE
