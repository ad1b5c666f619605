"""Descriptions, stars and comments over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.catalog import digest_of, push
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

JANE = "Bearer jane"
PATH = "/repositories/1"


@pytest.fixture(autouse=True)
def filled(tell: Callable[..., None], auth: AuthAnswers) -> None:
    tell(push("1.0", digest_of("x"), 1, repository="team/app"))
    auth.visibility[JANE] = {**EVERYTHING, "subject": subject("jane")}
    auth.visibility["Bearer stranger"] = {**NOBODY, "subject": subject("stranger")}


def send(
    client: FlaskClient, method: str, path: str, body: Any = None, *, as_: str | None = JANE, **headers: str
) -> TestResponse:
    given = {"Authorization": as_, **headers} if as_ else headers
    return client.open(f"/api/v1{path}", method=method, headers=given, json=body)


@pytest.mark.parametrize("body", [{"description": "ours"}, {"repository": {"description": "ours"}}])
def test_a_repository_is_described_in_either_form(body: Any, client: FlaskClient, auth: AuthAnswers) -> None:
    answer = send(client, "PUT", PATH, body)

    assert (answer.status_code, (answer.json or {})["description"]) == (200, "ours")
    assert '"actions": ["describe"]' in str([asked["body"] for asked in auth.asked])


def test_two_who_have_seen_the_same_do_not_undo_each_other(client: FlaskClient) -> None:
    etag = send(client, "GET", PATH).headers["ETag"]

    first = send(client, "PUT", PATH, {"description": "one"}, **{"If-Match": etag})
    second = send(client, "PUT", PATH, {"description": "two"}, **{"If-Match": etag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["ETag"] == send(client, "GET", PATH).headers["ETag"]


def test_who_may_not_describe_is_told_why(client: FlaskClient, auth: AuthAnswers) -> None:
    """Case 118 of the acceptance list."""
    auth.permissions[JANE] = {"describe": "a contributor may not"}

    answer = send(client, "PUT", PATH, {"description": "x"})

    assert (answer.status_code, (answer.json or {})["detail"]) == (403, "a contributor may not")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"description": "x" * 10_001}, 422),
        ({"description": "a\0b"}, 422),
        ({"description": 5}, 422),
        ({}, 400),
        ([], 400),
    ],
)
def test_a_description_that_cannot_be_kept_is_refused(body: Any, status: int, client: FlaskClient) -> None:
    assert send(client, "PUT", PATH, body).status_code == status


def test_a_star_is_set_taken_back_and_toggled(client: FlaskClient) -> None:
    shown: list[Any] = [send(client, method, f"{PATH}/star").json for method in ("PUT", "PUT", "DELETE", "POST")]

    assert [(one["stars"], one["starred"]) for one in shown] == [(1, True), (1, True), (0, False), (1, True)]


def test_a_comment_is_written_changed_and_deleted(client: FlaskClient) -> None:
    made = send(client, "POST", f"{PATH}/comments", {"body": "hello"})
    number = (made.json or {})["id"]
    changed = send(client, "PUT", f"{PATH}/comments/{number}", {"comment": {"body": "changed"}})
    listed = send(client, "GET", f"{PATH}/comments")
    gone = send(client, "DELETE", f"{PATH}/comments/{number}")

    assert (made.status_code, changed.status_code, gone.status_code) == (201, 200, 204)
    (shown,) = listed.json  # type: ignore[misc]
    assert (shown["author"], shown["body"], shown["repository_id"]) == ({"username": "jane"}, "changed", 1)
    assert listed.headers["X-Total"] == "1"
    assert send(client, "GET", f"{PATH}/comments").json == []


@pytest.mark.parametrize("body", ["", "  \n", "x" * 10_001, "a\0b"])
def test_a_comment_that_says_nothing_or_too_much_is_refused(body: str, client: FlaskClient) -> None:
    assert send(client, "POST", f"{PATH}/comments", {"body": body}).status_code == 422


ROUTES = [
    ("PUT", "", {"description": "x"}),
    ("PUT", "/star", None),
    ("DELETE", "/star", None),
    ("POST", "/star", None),
    ("GET", "/comments", None),
    ("POST", "/comments", {"body": "x"}),
    ("PUT", "/comments/1", {"body": "x"}),
    ("DELETE", "/comments/1", None),
]


@pytest.mark.parametrize(("method", "part", "body"), ROUTES)
def test_who_may_not_see_it_cannot_tell_it_from_what_is_missing(
    method: str, part: str, body: Any, client: FlaskClient
) -> None:
    answers = [send(client, method, f"/repositories/{number}{part}", body, as_="Bearer stranger") for number in (1, 99)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json | {"request_id": None} == answers[1].json | {"request_id": None}  # type: ignore[operator]
    assert send(client, method, f"{PATH}{part}", body, as_="Bearer stolen").status_code == 401


@pytest.mark.parametrize(("method", "part", "body"), [route for route in ROUTES if route[0] != "GET" and route[1]])
def test_nobody_writes_without_a_name(
    method: str, part: str, body: Any, client: FlaskClient, auth: AuthAnswers
) -> None:
    auth.visibility[None] = EVERYTHING
    send(client, "POST", f"{PATH}/comments", {"body": "x"})

    assert send(client, method, f"{PATH}{part}", body, as_=None).status_code == 403
