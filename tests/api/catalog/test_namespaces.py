"""``/api/v1/namespaces/:id/repositories``: ``auth`` knows the ids, the index what lies there."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug import Response
from werkzeug.test import TestResponse

from tests.support.catalog import digest_of, push
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers

A = digest_of("a")
ROOT, JANE = "Bearer administrator", "Bearer jane"
TEAM, GLOBAL, EMPTY = 7, 1, 8
Tell = Callable[..., None]


@pytest.fixture(autouse=True)
def world(auth: AuthAnswers, tell: Tell) -> None:
    tell(*(push("1.0", A, n, repository=name) for n, name in enumerate(["top", "team/b", "team/a", "other/c"])))
    auth.namespaces[ROOT] = {TEAM: "team", GLOBAL: "", EMPTY: "empty"}


def get(client: FlaskClient, namespace: object, query: str = "", *, as_: str | None = ROOT) -> TestResponse:
    headers = {"Authorization": as_} if as_ else {}
    return client.get(f"/api/v1/namespaces/{namespace}/repositories{query}", headers=headers)


def names(answer: TestResponse) -> list[str]:
    rows: Any = answer.json
    return [row["full_name"] for row in rows]


@pytest.mark.parametrize(
    ("namespace", "found"),
    [(TEAM, ["team/a", "team/b"]), (GLOBAL, ["top"]), (EMPTY, [])],
    ids=["one", "global", "empty"],
)
def test_what_lies_in_a_namespace_is_listed(namespace: int, found: list[str], client: FlaskClient) -> None:
    assert names(get(client, namespace)) == found


def test_a_row_is_that_of_the_list_of_all(client: FlaskClient) -> None:
    everything: Any = client.get("/api/v1/repositories?namespace=team", headers={"Authorization": ROOT}).json

    assert get(client, TEAM).json == everything


def test_the_list_takes_two_questions_to_auth_however_long(client: FlaskClient, auth: AuthAnswers) -> None:
    get(client, TEAM)
    asked = [one["path"] for one in auth.asked]
    auth.asked.clear()
    get(client, EMPTY)

    assert asked == ["/internal/v1/visibility", "/internal/v1/repositories"]
    assert [one["path"] for one in auth.asked] == ["/internal/v1/visibility"]


def test_the_list_is_walked_by_number_or_by_key(client: FlaskClient) -> None:
    numbered, first = get(client, TEAM, "?per_page=1&page=2"), get(client, TEAM, "?per_page=1&by_key=true")
    rest = client.get(first.headers["Link"].partition(">")[0][1:], headers={"Authorization": ROOT})

    assert (names(numbered), numbered.headers["X-Total"]) == (["team/b"], "2")
    assert (names(first), names(rest), "Link" in rest.headers) == (["team/a"], ["team/b"], False)


def test_another_namespace_cannot_be_asked_for_through_this_one(client: FlaskClient) -> None:
    assert names(get(client, TEAM, "?namespace=other")) == []


def test_of_a_namespace_that_is_seen_in_part_only_that_is_listed(client: FlaskClient, auth: AuthAnswers) -> None:
    auth.visibility[JANE] = {**NOBODY, "repositories": [{"namespace": "team", "pattern": "team/a*"}]}
    auth.namespaces[JANE] = {TEAM: "team"}

    assert names(get(client, TEAM, as_=JANE)) == ["team/a"]


def test_a_hidden_namespace_is_answered_like_one_that_does_not_exist(client: FlaskClient, auth: AuthAnswers) -> None:
    auth.visibility[JANE] = {**NOBODY, "namespaces": ["other"]}

    hidden, missing = get(client, TEAM, as_=JANE), get(client, 99, as_=JANE)

    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert {**(hidden.json or {}), "request_id": ""} == {**(missing.json or {}), "request_id": ""}


@pytest.mark.parametrize("namespace", ["x", "-1", "2147483648", "9" * 400])
def test_what_is_no_id_is_not_found_and_nobody_is_asked(namespace: str, client: FlaskClient, auth: AuthAnswers) -> None:
    assert get(client, namespace).status_code == 404
    assert auth.asked == []


def test_a_wrong_credential_is_401(client: FlaskClient) -> None:
    assert get(client, TEAM, as_="Bearer stolen").status_code == 401


@pytest.mark.parametrize(
    "answer",
    [EVERYTHING, {**EVERYTHING, "namespace": "team"}, {**EVERYTHING, "namespace": {"name": 1}}],
    ids=["does not say", "says it otherwise", "says no text"],
)
def test_nothing_is_shown_when_auth_does_not_tell_the_name(
    answer: dict[str, Any], client: FlaskClient, auth: AuthAnswers
) -> None:
    """An ``auth`` that is older answers as ever; that is not a namespace that is missing."""
    auth.override = Response(json.dumps({"subject": None, **answer}), content_type="application/json")

    assert get(client, TEAM).status_code == 503
