"""Every list can be walked by key, so that its end costs what its beginning costs, and nothing is counted."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawls import open_crawl, save_crawl
from services.catalog.storage.loss_windows import open_window
from shared.database import Database
from shared.oci.names import RepositoryName
from tests.support.catalog import digest_of, moment, push
from tests.support.visibility import EVERYTHING, AuthAnswers, subject
from tests.support.walking import assert_walked_by_key, lists_of

A, B = digest_of("a"), digest_of("b")
NAMES = {"id": "1", "digest": A, "tag": "1.0"}
"""What stands in a path."""


@pytest.fixture
def world(client: FlaskClient, index: Database, auth: AuthAnswers, tell: Callable[..., None]) -> FlaskClient:
    """Five of everything that is listed."""
    auth.visibility["Bearer administrator"] = {**EVERYTHING, "subject": subject("root", administrator=True)}
    auth.namespaces["Bearer administrator"] = {1: "team"}
    tell(*(push("1.0", (A, B)[number % 2], number, id=f"write-{number}") for number in range(5)))
    tell(*(push(f"{number}.0", digest_of(str(number)), 10 + number) for number in range(2, 7)))
    tell(*(push("1.0", B, 20, id=f"app-{number}", repository=f"team/app-{number}") for number in range(5)))
    for suffix in (".sig", ".att", ".sbom"):
        tell(push(A.replace(":", "-") + suffix, digest_of(suffix), 30, id=suffix))
    for number in range(5):
        make_one_of_each(client, number)
    with index.write() as connection:
        for number in range(5):
            kind = CrawlKind.FULL if number % 2 else CrawlKind.ROUND
            crawl = open_crawl(connection, kind, now=moment(number // 2))
            save_crawl(connection, crawl, {"repositories": number % 3}, position=None, finished_at=moment(9))
            reason = Reason.RESTART if number % 2 else Reason.GAP
            lost = frozenset({RepositoryName("team/app")})
            suspicion = Suspicion(f"registry-{number}", reason, moment(number * 1000), moment(number * 1000 + 9), lost)
            open_window(connection, suspicion, now=moment(number * 1000 + 9))
    return client


def make_one_of_each(client: FlaskClient, number: int) -> None:
    terms = {"name": f"rule {number}", "namespace": "team", "enabled": number % 2 == 0, "terms": {"keep_newest": 1}}
    for path, body in (
        ("retention/rules", terms),
        (f"retention/rules/{number + 1}/runs", None),
        ("immutable-tags", {"namespace": "team", "tags": [f"v{number}.*"], "restores": number % 2 == 0}),
        ("repositories/1/comments", {"body": f"comment {number}"}),
    ):
        answer = client.post(f"/api/v1/{path}", json=body, headers={"Authorization": "Bearer administrator"})
        assert answer.status_code in {201, 202}, (path, answer.text)


def test_every_list_is_walked_by_key(client: FlaskClient) -> None:
    lists = lists_of(client.get("/api/openapi.json").get_json())

    assert len(lists) > 15
    assert [path for path, parameters in lists.items() if "after" not in parameters] == []
    # A list that gives pages, too, has to be asked for parts.
    assert [path for path, parameters in lists.items() if "page" in parameters and "by_key" not in parameters] == []


def test_the_parts_of_a_list_are_what_its_pages_are(world: FlaskClient) -> None:
    def get(address: str) -> TestResponse:
        return world.get(address, headers={"Authorization": "Bearer administrator"})

    lists = lists_of(world.get("/api/openapi.json").get_json())
    for path, parameters in lists.items():
        if "page" in parameters:
            assert_walked_by_key(get, path.format(**NAMES), parameters.get("sort_attr", {}).get("enum", []))
