"""Vulnerabilities over HTTP: who sees them, who has them looked for, and what is said without a scanner."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.catalog.app import create_app
from services.catalog.domain.scans import DEFAULT_SCANNER, Finding, MadeBy, Severity, make_report
from services.catalog.settings import ScannerSettings, Settings
from services.catalog.storage.scan_planning import enlist
from services.catalog.storage.scans import claim_scan, save_report
from shared.database import Database
from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, make_scanner, moment, push
from tests.support.ports import free_port
from tests.support.scanner_adapter import Adapter
from tests.support.serving import serving
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

DIGEST = digest_of("app")
Tell = Callable[..., None]
SEVERITIES = [Severity.LOW, Severity.CRITICAL, Severity.CRITICAL, Severity.MEDIUM]


@pytest.fixture(autouse=True)
def people(auth: AuthAnswers) -> None:
    auth.visibility |= {
        "Bearer administrator": {**EVERYTHING, "subject": subject("root", administrator=True)},
        "Bearer auditor": {**EVERYTHING, "subject": subject("ada", auditor=True)},
        "Bearer jane": {**NOBODY, "namespaces": ["team"], "subject": subject("jane")},
        "Bearer joe": {**NOBODY, "namespaces": ["joe"], "subject": subject("joe")},
    }


@pytest.fixture
def scanner_settings() -> ScannerSettings:
    """A scanner that is away."""
    return make_scanner(f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def app(catalog_settings: Settings, scanner_settings: ScannerSettings, index: Database) -> Flask:
    return create_app(replace(catalog_settings, scanner=scanner_settings), index)


@pytest.fixture
def pushed(tell: Tell) -> None:
    tell(push("1.0", DIGEST, 1), push("latest", DIGEST, 2), push("2.0", digest_of("other"), 3))


@pytest.fixture
def scanned(pushed: None, index: Database) -> None:
    """Two tags share a report."""
    found = [Finding(f"CVE-{n}", "zlib", "1", "2" * (n % 2), one) for n, one in enumerate(SEVERITIES)]
    with index.write() as connection:
        enlist(connection, DEFAULT_SCANNER, [(DIGEST, moment(1))])
        claim = claim_scan(connection, DEFAULT_SCANNER, run="us", now=moment(4), until=moment(60))
        assert claim is not None
        report, made_by = make_report(found), MadeBy("Trivy", "0.5", moment(0))
        later = moment(10**9)
        save_report(connection, claim, report, made_by, reported_at=moment(5), due_at=later, now=moment(5))


def call(client: FlaskClient, method: str, path: str, *, as_: str | None = "administrator") -> TestResponse:
    headers = {"Authorization": f"Bearer {as_}"} if as_ else {}
    return client.open(f"/api/v1/{path}", method=method, headers=headers)


FINDINGS_OF = f"repositories/1/manifests/{DIGEST}/vulnerabilities"


def test_what_no_tag_leads_to_says_that_it_is_not_scanned(client: FlaskClient, pushed: None, tell: Tell) -> None:
    untagged = digest_of("untagged")
    tell(push(None, untagged, 4))

    for path in (f"repositories/1/manifests/{untagged}", f"repositories/1/manifests/{untagged}/vulnerabilities"):
        shown = call(client, "GET", path).get_json()
        scan = shown.get("scan", shown)
        assert (scan["state"], scan["reported_at"]) == ("unsupported", None)
        assert "Only what a tag points at" in scan["reason"]
    waiting = call(client, "GET", f"repositories/1/manifests/{DIGEST}").get_json()["scan"]
    assert (waiting["state"], waiting["reason"]) == ("none", None)


def test_tags_say_how_far_their_scan_is(client: FlaskClient, scanned: None) -> None:
    tags = {tag["name"]: tag for tag in call(client, "GET", "repositories/1/tags").get_json()}

    assert {name: tag["scanned"] for name, tag in tags.items()} == {"1.0": 2, "latest": 2, "2.0": 0}
    scan = tags["1.0"]["scan"]
    assert (scan["state"], scan["severity"], scan["total"], scan["scanner"]) == ("done", "Critical", 4, "Trivy")
    assert scan["counts"] == {"Critical": 2, "High": 0, "Medium": 1, "Low": 1, "Negligible": 0, "Unknown": 0}
    assert scan == tags["latest"]["scan"]
    assert (tags["2.0"]["scan"]["state"], tags["2.0"]["scan"]["counts"]) == ("none", None)
    assert {tag["vulnerabilities"] for tag in tags.values()} == {None}


def test_a_single_tag_has_its_vulnerabilities_where_they_are_asked_for(client: FlaskClient, scanned: None) -> None:
    without, asked = (call(client, "GET", f"tags/1{query}").get_json() for query in ("", "?vulnerabilities=true"))
    of_repository = call(client, "GET", "repositories/1/tags/1?vulnerabilities=true").get_json()

    assert without["vulnerabilities"] is None
    assert [one["name"] for one in asked["vulnerabilities"]] == ["CVE-1", "CVE-2", "CVE-3", "CVE-0"]
    assert of_repository == asked


def test_vulnerabilities_of_a_manifest_are_walked_the_worst_first(client: FlaskClient, scanned: None) -> None:
    first = call(client, "GET", f"{FINDINGS_OF}?per_page=3", as_="jane")
    following = first.headers["Link"].partition(">")[0].removeprefix("<").partition("/api/v1/")[2]
    second = call(client, "GET", following, as_="jane")

    assert (first.get_json()["state"], first.get_json()["reported_at"]) == ("done", moment(5).isoformat())
    names = [[one["name"] for one in part.get_json()["vulnerabilities"]] for part in (first, second)]
    assert names == [["CVE-1", "CVE-2", "CVE-3"], ["CVE-0"]]
    assert "Link" not in second.headers
    assert first.get_json()["vulnerabilities"][0] == {
        "id": 0,
        "name": "CVE-1",
        "severity": "Critical",
        "package": "zlib",
        "version": "1",
        "fixed_by": "2",
        "link": None,
        "links": [],
        "description": "",
        "cvss_score": None,
        "cvss_vector": None,
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("severity=Critical", ["CVE-1", "CVE-2"]),
        ("severity=High", []),
        ("fixable=true", ["CVE-1", "CVE-3"]),
        ("name=CVE-0", ["CVE-0"]),
        ("package=curl", []),
    ],
)
def test_vulnerabilities_are_narrowed(client: FlaskClient, scanned: None, query: str, names: list[str]) -> None:
    shown = call(client, "GET", f"{FINDINGS_OF}?{query}").get_json()

    assert [one["name"] for one in shown["vulnerabilities"]] == names
    assert shown["total"] == 4


def test_a_severity_that_there_is_not_is_refused(client: FlaskClient, scanned: None) -> None:
    assert_problem(call(client, "GET", f"{FINDINGS_OF}?severity=Terrible"), 422)


def test_vulnerabilities_are_for_those_who_may_pull(client: FlaskClient, scanned: None) -> None:
    assert_problem(call(client, "GET", FINDINGS_OF, as_="joe"), 404)
    assert_problem(call(client, "GET", FINDINGS_OF, as_=None), 404)
    assert_problem(call(client, "GET", f"repositories/1/manifests/{digest_of('none')}/vulnerabilities"), 404)


def test_a_manifest_shows_its_scan(client: FlaskClient, scanned: None) -> None:
    shown = call(client, "GET", f"repositories/1/manifests/{DIGEST}", as_="jane").get_json()

    assert (shown["scan"]["state"], shown["scan"]["total"]) == ("done", 4)


def test_everything_is_scanned_anew(client: FlaskClient, scanned: None) -> None:
    answer = call(client, "POST", "vulnerabilities")

    assert (answer.status_code, answer.get_json()) == (202, {"scans": 1})
    tag = call(client, "GET", "tags/1").get_json()
    assert (tag["scanned"], tag["scan"]["state"], tag["scan"]["total"]) == (0, "none", 4)


def test_one_tag_is_scanned_anew_and_those_that_share_its_digest_with_it(client: FlaskClient, scanned: None) -> None:
    assert call(client, "POST", "vulnerabilities/2").status_code == 202

    assert call(client, "GET", "tags/1").get_json()["scanned"] == 0
    assert_problem(call(client, "POST", "vulnerabilities/99"), 404)


def test_what_was_never_thought_of_is_scanned_when_somebody_asks(client: FlaskClient, scanned: None) -> None:
    assert call(client, "POST", "vulnerabilities/3").get_json() == {"scans": 1}

    assert call(client, "GET", "tags/3").get_json()["scan"]["due_at"] is not None


def test_one_manifest_is_scanned_anew(client: FlaskClient, scanned: None) -> None:
    assert call(client, "POST", FINDINGS_OF).status_code == 202

    assert call(client, "GET", "tags/1").get_json()["scanned"] == 0
    assert_problem(call(client, "POST", f"repositories/1/manifests/{digest_of('none')}/vulnerabilities"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "vulnerabilities"), ("POST", "vulnerabilities/1"), ("POST", FINDINGS_OF), ("GET", "scanner")],
)
def test_only_administrators_have_things_scanned(client: FlaskClient, scanned: None, method: str, path: str) -> None:
    assert_problem(call(client, method, path, as_=None), 401)
    assert_problem(call(client, method, path, as_="jane"), 403)
    assert_problem(call(client, method, path, as_="auditor"), 403)
    assert call(client, "GET", "tags/1").get_json()["scanned"] == 2


def test_a_scanner_that_is_away_says_why(client: FlaskClient, scanned: None) -> None:
    shown = call(client, "GET", "scanner").get_json()

    assert (shown["configured"], shown["reachable"], shown["name"]) == (True, False, None)
    assert shown["fault"] == "The scanner does not answer (connection refused)."
    assert shown["states"] == {"done": 1}
    assert client.get("/readyz").status_code == 200


def test_a_scanner_says_what_it_is(
    catalog_settings: Settings, scanner_settings: ScannerSettings, index: Database
) -> None:
    with serving(Adapter().app()) as url:
        settings = replace(catalog_settings, scanner=replace(scanner_settings, url=url))
        shown = call(create_app(settings, index).test_client(), "GET", "scanner").get_json()

    assert (shown["reachable"], shown["fault"], shown["name"]) == (True, None, "Stub")
    assert (shown["vendor"], shown["version"], shown["due"]) == ("Portus", "0.1", 0)
    assert shown["database_at"] == "2026-11-20T06:00:00+00:00"


def test_scans_are_counted(client: FlaskClient, scanned: None) -> None:
    call(client, "POST", "vulnerabilities")

    page = client.get("/metrics").get_data(as_text=True)

    assert 'portus_catalog_scans{state="none"} 1.0' in page
    assert 'portus_catalog_scans_due{scanner="default"} 1.0' in page


class TestWithoutAScanner:
    @pytest.fixture
    def app(self, catalog_settings: Settings, index: Database) -> Flask:
        return create_app(catalog_settings, index)

    def test_nothing_is_said_of_scans(self, client: FlaskClient, scanned: None) -> None:
        tag = call(client, "GET", "tags/1?vulnerabilities=true").get_json()
        manifest = call(client, "GET", f"repositories/1/manifests/{DIGEST}").get_json()

        assert (tag["scanned"], tag["scan"], tag["vulnerabilities"], manifest["scan"]) == (0, None, None, None)

    def test_nothing_can_be_scanned(self, client: FlaskClient, scanned: None) -> None:
        assert_problem(call(client, "POST", "vulnerabilities"), 404)
        assert_problem(call(client, "POST", "vulnerabilities/1"), 404)
        assert_problem(call(client, "GET", FINDINGS_OF), 404)
        assert call(client, "GET", "scanner").get_json()["configured"] is False
