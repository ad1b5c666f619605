"""``/api/v1/retention``: who may write rules, what a rule may say, and what is shown of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, push
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

RULE = {"name": "old builds", "namespace": "team", "terms": {"keep_newest": 3, "tags": ["ci-*"]}}


@pytest.fixture(autouse=True)
def people(auth: AuthAnswers) -> None:
    auth.visibility |= {
        "Bearer administrator": {**EVERYTHING, "subject": subject("root", administrator=True)},
        "Bearer auditor": {**EVERYTHING, "subject": subject("ada", auditor=True)},
        "Bearer owner": {**NOBODY, "namespaces": ["team"], "subject": subject("owner")},
        "Bearer viewer": {**NOBODY, "namespaces": ["team"], "subject": subject("viewer")},
        "Bearer stranger": {**NOBODY, "namespaces": ["other"], "subject": subject("stranger")},
    }
    for caller in ("viewer", "auditor"):
        auth.permissions[f"Bearer {caller}"] = {"delete": "viewers delete nothing"}


def call(
    client: FlaskClient, method: str, path: str, *, as_: str | None = "administrator", **options: Any
) -> TestResponse:
    headers = {**({"Authorization": f"Bearer {as_}"} if as_ else {}), **options.pop("headers", {})}
    return client.open(f"/api/v1/retention/{path}", method=method, headers=headers, **options)


def make(client: FlaskClient, *, as_: str = "administrator", **other: Any) -> dict[str, Any]:
    answer = call(client, "POST", "rules", as_=as_, json={**RULE, **other})
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_a_rule_is_made_shown_changed_and_taken_away(client: FlaskClient) -> None:
    rule = make(client, as_="owner")

    shown = call(client, "GET", f"rules/{rule['id']}", as_="viewer")
    assert shown.get_json() == rule
    assert (rule["terms"], rule["every_hours"], rule["created_by"]) == (RULE["terms"], 24, "owner")
    change = {"enabled": False, "terms": {"older_than_days": 9}}
    stale = {"If-Match": '"x"'}
    assert call(client, "PUT", f"rules/{rule['id']}", as_="owner", json=change, headers=stale).status_code == 412
    etag = {"If-Match": shown.headers["ETag"]}
    changed = call(client, "PUT", f"rules/{rule['id']}", as_="owner", json=change, headers=etag).get_json()
    assert (changed["enabled"], changed["terms"], changed["name"]) == (False, {"older_than_days": 9}, "old builds")
    assert call(client, "DELETE", f"rules/{rule['id']}", as_="owner").status_code == 204
    assert call(client, "GET", "rules").get_json() == []


def test_a_rule_that_goes_by_versions_is_shown_as_it_was_made(client: FlaskClient) -> None:
    terms = {"keep_newest": 3, "newest": "version"}

    rule = make(client, as_="owner", terms=terms)

    assert rule["terms"] == terms
    assert call(client, "GET", f"rules/{rule['id']}", as_="owner").get_json()["terms"] == terms


@pytest.mark.parametrize(
    ("caller", "namespace", "status"),
    [
        (None, "team", 401),
        ("viewer", "team", 403),
        ("auditor", "team", 403),
        ("owner", None, 403),
        ("administrator", None, 201),
        ("administrator", "", 201),
        ("administrator", "other", 201),
    ],
)
def test_who_makes_rules(client: FlaskClient, caller: str | None, namespace: str | None, status: int) -> None:
    answer = call(client, "POST", "rules", as_=caller, json={**RULE, "namespace": namespace})

    assert answer.status_code == status, answer.text


def test_a_right_to_delete_some_of_a_namespace_is_not_enough(client: FlaskClient, auth: AuthAnswers) -> None:
    """It is asked for all that it holds, whatever it is called."""
    make(client, as_="owner")

    asked = [one for one in auth.asked if one["path"] == "/internal/v1/permissions"]
    assert [json.loads(one["body"]) for one in asked] == [{"repository": "team/*", "actions": ["delete"]}]


def test_strangers_learn_of_no_rule_and_no_run(client: FlaskClient) -> None:
    rule = make(client)
    run = call(client, "POST", f"rules/{rule['id']}/runs").get_json()

    for path in (f"rules/{rule['id']}", f"runs/{run['id']}", f"runs/{run['id']}/outcomes"):
        assert_problem(call(client, "GET", path, as_="stranger"), 404)
        assert call(client, "GET", path, as_="viewer").status_code == 200
    for path in ("rules", "runs"):
        assert call(client, "GET", path, as_="stranger").get_json() == []
        assert len(call(client, "GET", path, as_="viewer").get_json()) == 1
    assert_problem(call(client, "POST", f"rules/{rule['id']}/runs", as_="viewer"), 403)
    assert_problem(call(client, "DELETE", f"rules/{rule['id']}", as_="viewer"), 403)
    assert_problem(call(client, "DELETE", f"rules/{rule['id']}", as_="stranger"), 404)


def test_a_run_under_way_is_answered(client: FlaskClient) -> None:
    rule = make(client)

    first, again = (call(client, "POST", f"rules/{rule['id']}/runs") for _ in range(2))

    assert (first.status_code, again.get_json()["id"]) == (202, first.get_json()["id"])
    assert first.headers["Location"].endswith(f"/api/v1/retention/runs/{first.get_json()['id']}")


def test_a_preview_tells_the_reason_for_each_tag_and_deletes_nothing(
    client: FlaskClient, tell: Callable[..., None]
) -> None:
    tell(*(push(f"ci-{n}", digest_of(str(n)), n) for n in range(3)), push("1.0", digest_of("a"), 9))
    body = {"namespace": "team", "terms": {"keep_newest": 1, "tags": ["ci-*"]}}

    found = call(client, "POST", "preview", as_="owner", json=body).get_json()

    assert (found["repositories"], found["kept"], found["deleted"], found["is_whole"]) == (1, 2, 2, True)
    assert [(one["tag"], one["goes"], one["reason"]) for one in found["verdicts"]] == [
        ("ci-0", True, "not among the newest 1"),
        ("ci-1", True, "not among the newest 1"),
        ("1.0", False, "the rule is not about tags of this name"),
        ("ci-2", False, "it is number 1 of the newest 1"),
    ]
    again = call(client, "POST", "preview", as_="owner", json=body).get_json()
    assert again == found
    assert_problem(call(client, "POST", "preview", as_="viewer", json=body), 403)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 65},
        {"namespace": "Team"},
        {"every_hours": 0},
        {"terms": {}},
        {"terms": {"tags": ["*"]}},
        {"terms": {"keep_newest": -1}},
        {"terms": {"keep_newest": 1, "tags": []}},
        {"terms": {"keep_newest": 1, "newest": "size"}},
        {"terms": {"keep_newest": 1, "tag_pattern": "(a+)+"}},
        {"terms": {"keep_newest": 1, "other": 1}},
    ],
)
def test_what_is_no_rule_is_refused(client: FlaskClient, wrong: dict[str, Any]) -> None:
    assert_problem(call(client, "POST", "rules", json={**RULE, **wrong}), 422)


def test_a_name_is_taken_once(client: FlaskClient) -> None:
    make(client)
    other = make(client, name="other")

    assert_problem(call(client, "POST", "rules", json=RULE), 422, "like this")
    assert_problem(call(client, "PUT", f"rules/{other['id']}", json={"name": "old builds"}), 422)
