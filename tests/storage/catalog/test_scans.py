"""Digests of a real registry are scanned by an adapter that keeps to its specification, until it does not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, redirect

from services.catalog.domain.scans import ScanState
from services.catalog.storage.scan_queries import WAITING
from services.catalog.usecases.scan_manifests import Turn
from tests.storage.catalog.snapshots import shown_tags
from tests.support.ports import free_port
from tests.support.scan_house import APP, OTHER, PERIOD, House
from tests.support.scanner_adapter import Adapter, vulnerability
from tests.support.serving import serving


def test_173_a_pushed_tag_is_scanned_and_all_tags_with_the_digest_share_the_result(house: House) -> None:
    """Case 173: none → working → done."""
    house.adapter.findings[""] = [vulnerability("CVE-2"), vulnerability("CVE-1", "Critical")]
    house.adapter.not_ready = [{"Refresh-After": "0"}]
    image = house.pusher().image(APP, "1.0")
    digest = house.pushed("1.0", image)
    house.pushed("latest", image)
    house.plan()
    states = [house.scan(digest).state]
    house.adapter.meanwhile = lambda: states.append(house.scan(digest).state)

    house.work()

    assert states == [ScanState.NONE, ScanState.WORKING]
    assert [(tag.name, tag.scan.state, tag.scan.total) for tag in shown_tags(house.database, APP)] == [
        ("latest", ScanState.DONE, 2),
        ("1.0", ScanState.DONE, 2),
    ]
    scan = house.scan(digest)
    assert (scan.severity, scan.counts) == ("Critical", {"Critical": 1, "High": 1})
    assert (scan.scanner_name, scan.scanner_version, scan.reason) == ("Stub", "0.1", None)
    assert scan.database_at == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert house.found(digest) == ["CVE-1", "CVE-2"]
    assert house.adapter.digests == [digest]


def test_the_scanner_pulls_with_a_token_for_that_repository_and_nothing_else(house: House) -> None:
    digest = house.image()

    house.work()

    (asked,) = house.adapter.scans.values()
    assert asked["artifact"] == {"repository": APP, "digest": digest, "mime_type": asked["artifact"]["mime_type"]}
    assert house.tokens.asked[-1]["scope"] == f"repository:{APP}:pull"
    assert len(house.adapter.pulled) == 3


def test_a_digest_is_scanned_once_for_all_repositories(house: House) -> None:
    image = house.pusher().image(APP, "1.0")
    digest = house.pushed("1.0", image)
    house.copy("1.0", image, OTHER)

    house.work()

    shown = [shown_tags(house.database, name)[0].scan.state for name in (APP, OTHER)]
    assert (shown, house.adapter.digests) == ([ScanState.DONE] * 2, [digest])
    assert [(one["repository"], one["digest"]) for one in house.told()] == [(APP, digest), (OTHER, digest)]


def test_what_was_found_of_one_digest_says_nothing_of_another(house: House) -> None:
    """[BUG] of SUSE Portus 8.3: severity, link and fix of a CVE were those of whatever was scanned last."""
    first, second = house.image("1.0"), house.image("2.0")
    house.adapter.findings[first] = [vulnerability("CVE-1", "Critical", links=["https://a.example"])]
    house.adapter.findings[second] = [vulnerability("CVE-1", "Low", fix_version="9", links=["https://b.example"])]

    house.work()

    assert [house.scan(one).severity for one in (first, second)] == ["Critical", "Low"]
    assert [house.rows(one)[0].fix_version for one in (first, second)] == ["1.1", "9"]
    assert [house.rows(one)[0].links for one in (first, second)] == [["https://a.example"], ["https://b.example"]]


def test_174_the_result_of_a_tag_that_moved_meanwhile_is_not_kept(house: House) -> None:
    """Case 174: neither is it shown for what the tag points at now."""
    house.adapter.findings[""] = [vulnerability("CVE-1")]
    old = house.image()
    house.plan()

    house.adapter.meanwhile = house.image
    house.scanner().scan_next(0, "worker")

    (tag,) = shown_tags(house.database, APP)
    assert (tag.digest == old, tag.scan.state, tag.scan.total) == (False, ScanState.NONE, None)
    assert house.scan(old) == WAITING
    assert house.count_rows() == (0, 0)
    assert house.told() == []


def test_174_the_result_of_a_tag_that_was_deleted_meanwhile_is_not_kept(house: House) -> None:
    digest = house.image()
    house.plan()

    house.adapter.meanwhile = lambda: house.deleted(tag="1.0")
    house.scanner().scan_next(0, "worker")

    assert (house.scan(digest), house.count_rows()) == (WAITING, (0, 0))


def test_the_result_of_a_digest_that_nothing_leads_to_any_more_is_dropped(house: House) -> None:
    house.adapter.findings[""] = [vulnerability("CVE-1")]
    digest = house.image()
    house.work()
    assert house.count_rows() == (1, 1)

    house.deleted(digest=digest)
    house.plan()

    assert house.count_rows() == (0, 0)


def test_51_a_tag_that_moves_is_not_scanned_any_more(house: House) -> None:
    """Case 51: the scan state resets with the digest."""
    house.image()
    house.work()

    new = house.image()

    (tag,) = shown_tags(house.database, APP)
    assert (tag.digest, tag.scan) == (new, WAITING)


def test_176_while_the_scanner_is_away_nothing_is_passed(house: House) -> None:
    """Case 176: it is tried again later, and then it is done."""
    digest = house.image()
    away = house.scanner(f"http://127.0.0.1:{free_port()}")

    assert house.work(away) == [Turn.AWAY]

    scan = house.scan(digest)
    assert (scan.state, scan.reported_at, scan.counts) == (ScanState.NONE, None, None)
    assert scan.reason == "The scanner does not answer (connection refused)."
    house.ahead += timedelta(hours=1)
    house.work()
    assert (house.scan(digest).state, house.scan(digest).reason) == (ScanState.DONE, None)


def test_the_last_good_report_stays_while_the_scanner_is_away(house: House) -> None:
    house.adapter.findings[""] = [vulnerability("CVE-1")]
    digest = house.image()
    house.work()
    before = house.scan(digest)
    house.ahead += PERIOD * 2

    house.work(house.scanner(f"http://127.0.0.1:{free_port()}"))

    scan = house.scan(digest)
    assert (scan.state, scan.reported_at, scan.total) == (ScanState.FAILED, before.reported_at, 1)
    assert house.found(digest) == ["CVE-1"]


def test_everything_is_scanned_again_after_the_period(house: House) -> None:
    digest = house.image()
    house.work()
    house.adapter.findings[""] = [vulnerability("CVE-9", "Low")]
    house.ahead += PERIOD - timedelta(minutes=1)
    house.work()
    assert house.scan(digest).total == 0

    house.ahead += timedelta(minutes=2)
    house.work()

    assert (house.scan(digest).severity, house.found(digest)) == ("Low", ["CVE-9"])
    assert [(one.get("severity"), one["low"]) for one in house.told()] == [(None, 0), ("Low", 1)]


def test_a_report_that_says_the_same_is_not_told_again(house: House) -> None:
    house.image()
    house.work()
    house.ahead += PERIOD

    house.work()

    assert (len(house.adapter.digests), len(house.told())) == (2, 1)


@pytest.mark.parametrize("header", [{"Refresh-After": "0"}, {"Retry-After": "0"}])
def test_a_slow_scan_is_asked_for_again_when_the_adapter_says(house: House, header: dict[str, str]) -> None:
    house.adapter.not_ready = [header, header]
    digest = house.image()

    house.work()

    assert house.scan(digest).state is ScanState.DONE
    assert len([call for call in house.adapter.calls if call.endswith("/report")]) == 3


def test_a_scan_that_takes_too_long_fails(house: House) -> None:
    house.time_limit = timedelta(seconds=1)
    house.adapter.not_ready = [{"Refresh-After": "0.2"}] * 1000
    digest = house.image()

    house.work()

    scan = house.scan(digest)
    assert (scan.state, scan.reason) == (ScanState.FAILED, "There was no report within 1 s.")


def test_an_adapter_that_says_nothing_is_not_waited_for_for_ever(house: House) -> None:
    house.time_limit, house.patience_s = timedelta(seconds=3), 0.5
    house.adapter.hangs_s = 1
    digest = house.image()

    house.work()

    assert house.scan(digest).state is not ScanState.DONE
    assert house.scan(digest).reason


def test_an_adapter_that_was_restarted_is_asked_once_more(house: House) -> None:
    house.adapter.forgets = 1
    digest = house.image()

    house.work()

    assert (house.scan(digest).state, len(house.adapter.scans)) == (ScanState.DONE, 2)


def test_an_adapter_that_forgets_again_and_again_has_failed(house: House) -> None:
    house.adapter.forgets = 1000
    digest = house.image()

    house.work()

    assert (house.scan(digest).state, len(house.adapter.scans)) == (ScanState.FAILED, 2)
    assert house.scan(digest).reason == "The scanner does not know the scan any more."


@pytest.mark.parametrize("report", [b"<html>", b"{}"])
def test_a_report_that_cannot_be_read_is_a_failure_and_no_empty_list(house: House, report: bytes) -> None:
    """[BUG] of SUSE Portus 8.3: any failure was stored as "done, no vulnerabilities" and shown as passed."""
    house.adapter.report = report
    digest = house.image()

    house.work()

    scan = house.scan(digest)
    assert (scan.state, scan.reported_at) == (ScanState.FAILED, None)
    assert scan.reason == "The scanner's report cannot be read."


def test_a_failure_of_the_scanner_is_said_and_tried_again(house: House) -> None:
    house.adapter.scan_status = 500
    digest = house.image()
    house.work()
    assert (house.scan(digest).state, house.scan(digest).reason) == (
        ScanState.FAILED,
        "The scanner answers 500.",
    )

    house.adapter.scan_status = 202
    house.ahead += timedelta(minutes=2)
    house.work()

    assert house.scan(digest).state is ScanState.DONE


def test_a_scanner_that_does_not_let_us_in_is_as_good_as_away(house: House) -> None:
    house.adapter.authorization = "Bearer of-others"
    digest = house.image()

    assert house.work() == [Turn.AWAY]

    assert house.scan(digest).state is ScanState.NONE
    assert "PORTUS_SCANNER_AUTHORIZATION" in (house.scan(digest).reason or "")


def test_what_cannot_be_scanned_is_said_once_and_not_tried_for_ever(house: House) -> None:
    """[BUG] of SUSE Portus 8.3: a manifest without layers was scanned again each round."""
    artifact = house.pushed("chart", house.pusher().artifact(APP, "chart"))
    unread = house.image("docker", docker=True)
    house.adapter.consumes = ["application/vnd.oci.image.manifest.v1+json"]
    house.work()
    states = [(house.scan(one).state, house.scan(one).due_at) for one in (artifact, unread)]
    assert states == [(ScanState.UNSUPPORTED, None)] * 2

    house.ahead += PERIOD * 3
    house.work()

    assert house.adapter.digests == []
    assert house.scan(artifact).reason == "This is no image."
    assert "does not read" in (house.scan(unread).reason or "")


def test_a_scanner_that_says_501_is_not_asked_again(house: House) -> None:
    house.adapter.scan_status = 501
    digest = house.image()

    house.work()

    assert (house.scan(digest).state, house.scan(digest).due_at) == (ScanState.UNSUPPORTED, None)


def spoil_produces(adapter: Adapter) -> None:
    adapter.produces = ["application/vnd.of.another"]


def spoil_metadata(adapter: Adapter) -> None:
    adapter.metadata_status = 500


@pytest.mark.parametrize("spoil", [spoil_produces, spoil_metadata])
def test_a_scanner_that_is_of_no_use_is_not_asked_about_one_digest_after_the_other(
    house: House, spoil: Callable[[Adapter], None]
) -> None:
    spoil(house.adapter)
    digest = house.image()

    assert house.work() == [Turn.AWAY]

    assert (house.scan(digest).state, house.adapter.digests) == (ScanState.NONE, [])
    assert house.scan(digest).reason


def test_an_adapter_that_sends_us_elsewhere_is_not_followed(house: House) -> None:
    went: list[str] = []
    elsewhere, sending = Flask("elsewhere"), Flask("sending")
    elsewhere.before_request(lambda: went.append("here"))
    target = house.stack.enter_context(serving(elsewhere))
    sending.before_request(lambda: redirect(f"{target}/api/v1/metadata"))
    sender = house.stack.enter_context(serving(sending))
    house.adapter.not_ready = [{"Location": f"{target}/report"}]
    digest = house.image()
    house.work(house.scanner(sender))
    assert "elsewhere" in (house.scan(digest).reason or "")

    house.ahead += timedelta(hours=1)
    house.work()

    assert (house.scan(digest).state, went) == (ScanState.FAILED, [])
    assert "elsewhere" in (house.scan(digest).reason or "")


def test_ten_thousand_findings_are_kept_and_more_are_counted(house: House) -> None:
    items = [vulnerability(f"CVE-{n}", "Low", package=f"package-{n % 500}") for n in range(10_001)]
    house.adapter.findings[""] = [*items, vulnerability("CVE-X", "Critical")]
    digest = house.image()

    house.work()

    assert house.scan(digest).counts == {"Critical": 1, "Low": 10_001}
    assert house.count_rows() == (1, 10_000)
    assert house.found(digest)[0] == "CVE-X"
    assert len(house.found(digest)) == 100
