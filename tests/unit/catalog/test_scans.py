"""Reports and self-descriptions that strangers have written, and what a scan's state follows from."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.catalog.domain.lenient import Malformed
from services.catalog.domain.scanners import REPORT_TYPES, read_metadata
from services.catalog.domain.scans import (
    Report,
    ScanState,
    Severity,
    combine_states,
    postpone_for,
    read_report,
    retry_after,
)
from shared.oci.media_types import DOCKER_MANIFEST, OCI_MANIFEST

NONE, WORKING, DONE, FAILED, UNSUPPORTED = ScanState


def read(*items: Any) -> Report:
    return read_report(json.dumps({"vulnerabilities": items}).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"vulnerabilities": {}}',
        b'{"vulnerabilities": ""}',
        b'{"vulnerabilities": 0}',
        b'{"vulnerabilities": [{}]}',
        b'{"vulnerabilities": [null]}',
        b'{"vulnerabilities": [{"id": ""}]}',
        b'{"vulnerabilities": [{"id": 7}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_is_never_one_without_findings(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_report(body)


@pytest.mark.parametrize("nothing", [b"[]", b"null"])
def test_a_report_may_have_found_nothing(nothing: bytes) -> None:
    report = read_report(b'{"vulnerabilities": ' + nothing + b"}")

    assert (list(report.findings), report.severity, report.counts) == ([], None, {})


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("Critical", Severity.CRITICAL),
        ("HIGH", Severity.HIGH),
        ("low", Severity.LOW),
        ("", Severity.UNKNOWN),
        ("Terrible", Severity.UNKNOWN),
        (None, Severity.UNKNOWN),
        (3, Severity.UNKNOWN),
        ({}, Severity.UNKNOWN),
    ],
)
def test_a_severity_that_nobody_knows_is_unknown(said: object, severity: Severity) -> None:
    assert read({"id": "CVE-1", "severity": said}).findings[0].severity is severity


def test_a_finding_without_a_severity_is_found() -> None:
    assert read({"id": "CVE-1"}).counts == {Severity.UNKNOWN: 1}


def test_the_worst_comes_first_and_then_the_name() -> None:
    said = [("CVE-3", "Low"), ("CVE-2", "Critical"), ("CVE-1", "Low"), ("CVE-4", "High")]

    report = read(*({"id": name, "severity": severity} for name, severity in said))

    assert [one.name for one in report.findings] == ["CVE-2", "CVE-4", "CVE-1", "CVE-3"]
    assert report.severity is Severity.CRITICAL


def test_the_same_finding_twice_counts_once_and_as_the_worse() -> None:
    same = {"id": "CVE-1", "package": "zlib", "version": "1"}

    report = read({**same, "severity": "Low"}, {**same, "severity": "High"}, {**same, "package": "curl"})

    assert report.counts == {Severity.HIGH: 1, Severity.UNKNOWN: 1}
    assert [one.severity for one in report.findings] == [Severity.HIGH, Severity.UNKNOWN]


def test_links_are_addresses_of_pages_and_few() -> None:
    good = [f"https://example.org/{n}" for n in range(9)]
    bad = ["javascript:alert(1)", "data:text/html,x", 7, None, "https://" + "x" * 1000, "http://a\nb"]

    assert list(read({"id": "CVE-1", "links": [*bad, *good]}).findings[0].links) == good[:5]
    assert read({"id": "CVE-1", "links": "https://example.org"}).findings[0].links == ()


def test_a_description_is_one_short_text_that_a_database_takes() -> None:
    (finding,) = read({"id": "CVE-1", "description": "a\x00b\n\n\ud800c " + "x" * 10_000}).findings

    assert finding.description.startswith("a b c xxx")
    assert (len(finding.description), finding.description[-1]) == (500, "…")
    assert read({"id": "CVE-1", "description": ["no"]}).findings[0].description == ""


@pytest.mark.parametrize(
    ("said", "score", "vector"),
    [
        ({"score_v3": 9.8, "vector_v3": "CVSS:3.1/AV:N", "score_v2": 7}, 9.8, "CVSS:3.1/AV:N"),
        ({"score_v2": 7, "vector_v2": "AV:N"}, 7.0, "AV:N"),
        ({"score_v3": True}, None, None),
        ({"score_v3": 11}, None, None),
        ({"score_v3": "9"}, None, None),
        (None, None, None),
        ([], None, None),
    ],
)
def test_a_cvss_score_is_a_number_up_to_ten(said: object, score: float | None, vector: str | None) -> None:
    (finding,) = read({"id": "CVE-1", "preferred_cvss": said}).findings

    assert (finding.cvss_score, finding.cvss_vector) == (score, vector)


@pytest.mark.parametrize(
    ("images", "index"),
    [
        ([], UNSUPPORTED),
        ([UNSUPPORTED, UNSUPPORTED], UNSUPPORTED),
        ([DONE, UNSUPPORTED], DONE),
        ([DONE, FAILED], FAILED),
        ([FAILED, WORKING], WORKING),
        ([DONE, NONE], WORKING),
        ([NONE, NONE, UNSUPPORTED], NONE),
    ],
)
def test_an_index_is_done_when_all_of_its_images_are(images: list[ScanState], index: ScanState) -> None:
    assert combine_states(images) is index


def test_pauses_grow_to_an_end() -> None:
    day = timedelta(days=1)

    assert [retry_after(n, period=day) for n in (0, 1, 99)] == [timedelta(minutes=1), timedelta(minutes=2), day]
    assert [postpone_for(n) for n in (0, 1, 99)] == [timedelta(seconds=s) for s in (10, 20, 900)]


def metadata(*capabilities: object, **other: object) -> bytes:
    return json.dumps({"scanner": {"name": "Trivy", "version": "0.5"}, "capabilities": capabilities, **other}).encode()


def test_the_best_report_is_taken_that_both_know() -> None:
    old = {"consumes_mime_types": [OCI_MANIFEST], "produces_mime_types": [REPORT_TYPES[1]]}
    new = {"consumes_mime_types": [OCI_MANIFEST], "produces_mime_types": ["x", *reversed(REPORT_TYPES)]}

    assert read_metadata(metadata(old)).find_report_type(OCI_MANIFEST) == REPORT_TYPES[1]
    assert (
        read_metadata(metadata(old, {"type": "vulnerability", **new})).find_report_type(OCI_MANIFEST)
        == (REPORT_TYPES[0])
    )
    assert read_metadata(metadata({"type": "sbom", **new})).find_report_type(OCI_MANIFEST) is None
    assert read_metadata(metadata(old)).find_report_type(DOCKER_MANIFEST) is None


def test_a_media_type_is_the_same_without_its_blank() -> None:
    loose = {"consumes_mime_types": [OCI_MANIFEST], "produces_mime_types": [REPORT_TYPES[0].replace("; ", ";")]}

    assert read_metadata(metadata(loose)).find_report_type(OCI_MANIFEST) == REPORT_TYPES[0]


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-11-20T06:00:00Z", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("2026-11-20T06:00:00", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("yesterday", None),
        (7, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_the_age_of_a_database_is_told_where_it_is_said(said: object, at: datetime | None) -> None:
    properties = {"harbor.scanner-adapter/vulnerability-database-updated-at": said}

    assert read_metadata(metadata(properties=properties)).made_by.database_at == at


@pytest.mark.parametrize("body", [b"", b"{}", b'{"scanner": {}, "capabilities": []}', b'{"scanner": {"name": "x"}}'])
def test_what_is_no_scanner_is_none(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_metadata(body)
