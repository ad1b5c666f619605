"""``/api/v1/crawls`` and ``/api/v1/drift``: who sees how index and registry differ, and who starts a crawl."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.catalog.domain.drift import Finding, Kind
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import open_crawl, save_crawl
from services.catalog.storage.drift import file_findings
from services.catalog.storage.repositories import lock_repositories
from services.catalog.storage.tables import repositories
from shared.database import Database
from shared.oci.names import RepositoryName, Tag
from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, moment
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject


@pytest.fixture(autouse=True)
def people(auth: AuthAnswers) -> None:
    auth.visibility |= {
        "Bearer administrator": {**EVERYTHING, "subject": subject("root", administrator=True)},
        "Bearer auditor": {**EVERYTHING, "subject": subject("ada", auditor=True)},
        "Bearer jane": {**NOBODY, "namespaces": ["jane"], "subject": subject("jane")},
    }


@pytest.fixture
def crawl(index: Database) -> int:
    """A round that is over and found three things."""
    app = RepositoryName("team/app")
    findings = [
        Finding(Kind.MISSING_TAG, app, Tag("2.0"), None, digest_of("b"), "team"),
        Finding(Kind.PHANTOM_TAG, app, Tag("1.0"), digest_of("a"), None, "team"),
        Finding(Kind.ORPHAN_NAMESPACE, None, namespace="lost"),
    ]
    with index.write() as connection:
        number = open_crawl(connection, CrawlKind.ROUND, now=moment(0))
        file_findings(connection, findings, crawl=number, now=moment(5))
        save_crawl(connection, number, {"repositories": 2, "drift": 3}, position=None, finished_at=moment(9))
    return number


def call(
    client: FlaskClient, method: str, path: str, *, as_: str | None = "administrator", **options: object
) -> TestResponse:
    headers = {"Authorization": f"Bearer {as_}"} if as_ else {}
    return client.open(f"/api/v1/{path}", method=method, headers=headers, **options)  # type: ignore[arg-type]


def test_a_crawl_says_what_it_did(client: FlaskClient, crawl: int) -> None:
    (shown,) = call(client, "GET", "crawls").get_json()

    assert shown == call(client, "GET", f"crawls/{crawl}", as_="auditor").get_json()
    assert (shown["kind"], shown["repositories"], shown["drift"], shown["duration_s"]) == ("round", 2, 3, 9.0)
    assert (shown["requested_by"], shown["fault"]) == (None, None)
    assert_problem(call(client, "GET", "crawls/99"), 404)


def test_a_difference_comes_with_its_cause_and_what_helps(client: FlaskClient, crawl: int) -> None:
    orphan, phantom, missing = call(client, "GET", "drift").get_json()

    assert (orphan["kind"], orphan["namespace"], orphan["repository"]) == ("orphan_namespace", "lost", "")
    assert "administrator" in orphan["remedy"]
    assert (phantom["state"], phantom["indexed_digest"]) == ("open", digest_of("a"))
    assert "update-delete" in phantom["remedy"]
    assert phantom["cause_text"].startswith("The registry was changed")
    assert (missing["state"], missing["found_digest"]) == ("repaired", digest_of("b"))
    assert missing["remedy"] == "None: it is over."


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("state=open", ["orphan_namespace", "phantom_tag"]),
        ("kind=missing_tag", ["missing_tag"]),
        ("repository_prefix=team/", ["phantom_tag", "missing_tag"]),
        ("namespace=lost", ["orphan_namespace"]),
        ("tag=1.0", ["phantom_tag"]),
        ("cause=no_owner", ["orphan_namespace"]),
        ("crawl_id=99", []),
    ],
)
def test_the_report_is_narrowed(client: FlaskClient, crawl: int, query: str, kinds: list[str]) -> None:
    assert [row["kind"] for row in call(client, "GET", f"drift?{query}").get_json()] == kinds


def test_the_report_is_walked_by_key(client: FlaskClient, crawl: int) -> None:
    first = call(client, "GET", "drift?per_page=2")

    following = first.headers["Link"].partition("<")[2].partition(">")[0].partition("/api/v1/")[2]
    assert [row["kind"] for row in call(client, "GET", following).get_json()] == ["missing_tag"]


def test_an_administrator_asks_for_a_crawl_and_is_shown_the_one_under_way(client: FlaskClient, index: Database) -> None:
    asked = call(client, "POST", "crawls", json={"kind": "full"})

    assert asked.status_code == 202
    assert (asked.get_json()["kind"], asked.get_json()["requested_by"]) == ("full", "root")
    assert asked.headers["Location"].endswith(f"/api/v1/crawls/{asked.get_json()['id']}")
    again = call(client, "POST", "crawls", json={})
    assert again.get_json()["id"] == asked.get_json()["id"]


@pytest.mark.parametrize("body", [{"kind": "first"}, {"kind": "deep"}, {"kind": None}, {"other": 1}])
def test_what_is_no_crawl_is_refused(client: FlaskClient, body: object) -> None:
    assert_problem(call(client, "POST", "crawls", json=body), 422)


@pytest.mark.parametrize("path", ["crawls", "crawls/1", "drift"])
@pytest.mark.parametrize(("caller", "status"), [(None, 401), ("jane", 403)])
def test_others_see_nothing(client: FlaskClient, crawl: int, path: str, caller: str | None, status: int) -> None:
    assert_problem(call(client, "GET", path, as_=caller), status)


@pytest.mark.parametrize(("caller", "status"), [(None, 401), ("jane", 403), ("auditor", 403)])
def test_others_start_nothing(client: FlaskClient, index: Database, caller: str | None, status: int) -> None:
    assert_problem(call(client, "POST", "crawls", as_=caller, json={}), status)
    assert call(client, "GET", "crawls").get_json() == []


def test_the_gauges_count_what_is_open_and_what_waits_for_a_look(
    client: FlaskClient, crawl: int, index: Database
) -> None:
    assert 'portus_catalog_oldest_look_seconds{index="catalog"} 0.0' in client.get("/metrics").text
    with index.write() as connection:
        lock_repositories(connection, [RepositoryName("team/app")], now=moment(0))
        connection.execute(repositories.update().values(tags_count=1))

    metrics = client.get("/metrics").text

    assert 'portus_catalog_repositories_unread{index="catalog"} 0.0' in metrics
    assert 'portus_catalog_oldest_look_seconds{index="catalog"} 0.0' not in metrics
    assert re.search(r'portus_catalog_drift_open\{kind="phantom_tag".*\} 1', metrics)
    assert re.search(r'portus_catalog_drift_open\{kind="missing_tag".*\} 0', metrics)
