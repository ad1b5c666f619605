"""``/api/v1/search``."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, push
from tests.support.visibility import NOBODY, AuthAnswers, subject

ADMINISTRATOR = {"Authorization": "Bearer administrator"}
PATH = "/api/v1/search"


def test_a_search_answers_every_kind(client: FlaskClient, tell: Callable[..., None]) -> None:
    tell(push("1.0", digest_of("a"), 1, actor="jane"))

    found = client.get(PATH, query_string={"q": "team/app:1.0"}, headers=ADMINISTRATOR).get_json()

    (tag,) = found["tags"]
    assert (
        found["exact"]
        == tag
        == {"tag_id": 1, "tag": "1.0", "digest": digest_of("a"), "repository_id": 1, "repository": "team/app"}
    )
    assert [hit["tags_count"] for hit in found["repositories"]] == [1]
    assert (found["digests"], found["labels"], found["people"], found["more"]) == ([], [], [], [])


def test_a_stranger_finds_nothing_and_cannot_tell(
    client: FlaskClient, tell: Callable[..., None], auth: AuthAnswers
) -> None:
    auth.visibility["Bearer jane"] = {**NOBODY, "namespaces": ["jane"], "subject": subject("jane")}
    there = client.get(PATH, query_string={"q": "team/app:1.0"}, headers={"Authorization": "Bearer jane"})

    tell(push("1.0", digest_of("a"), 1))

    after = client.get(PATH, query_string={"q": "team/app:1.0"}, headers={"Authorization": "Bearer jane"})
    assert after.get_json() == there.get_json()
    assert client.get(PATH, query_string={"q": "team"}).get_json()["repositories"] == []


@pytest.mark.parametrize(
    ("q", "status"), [(None, 400), ("", 422), ("   ", 422), ("a\x00b", 422), ("x" * 513, 422)], ids=repr
)
def test_what_cannot_be_searched_is_refused(client: FlaskClient, q: str | None, status: int) -> None:
    assert_problem(client.get(PATH, query_string={"q": q} if q is not None else {}, headers=ADMINISTRATOR), status)


@pytest.mark.parametrize("per_kind", ["0", "101", "x"])
def test_so_many_of_a_kind_are_not_shown(client: FlaskClient, per_kind: str) -> None:
    query = {"q": "a", "per_kind": per_kind}
    assert_problem(client.get(PATH, query_string=query, headers=ADMINISTRATOR), 422)
