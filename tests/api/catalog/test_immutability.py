"""``/api/v1/immutable-tags`` and ``/api/v1/overwrites``: who forbids tags to move, and who sees what did."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, push
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

RULE = {"namespace": "team", "tags": ["v*"], "restores": True}


@pytest.fixture(autouse=True)
def people(auth: AuthAnswers) -> None:
    auth.visibility |= {
        "Bearer administrator": {**EVERYTHING, "subject": subject("root", administrator=True)},
        "Bearer auditor": {**EVERYTHING, "subject": subject("ada", auditor=True)},
        "Bearer owner": {**NOBODY, "namespaces": ["team"], "subject": subject("owner")},
        "Bearer viewer": {**NOBODY, "namespaces": ["team"], "subject": subject("viewer")},
        "Bearer stranger": {**NOBODY, "namespaces": ["other"], "subject": subject("stranger")},
    }
    for caller in ("viewer", "auditor", "stranger"):
        auth.permissions[f"Bearer {caller}"] = {"describe": "only owners do"}


def call(
    client: FlaskClient, method: str, path: str, *, as_: str | None = "administrator", **options: Any
) -> TestResponse:
    headers = {**({"Authorization": f"Bearer {as_}"} if as_ else {}), **options.pop("headers", {})}
    return client.open(f"/api/v1/{path}", method=method, headers=headers, **options)


def test_a_rule_is_made_shown_changed_and_taken_away(client: FlaskClient) -> None:
    made = call(client, "POST", "immutable-tags", as_="owner", json=RULE)
    rule = made.get_json()

    shown = call(client, "GET", f"immutable-tags/{rule['id']}", as_="viewer")
    assert (made.status_code, shown.get_json()) == (201, rule)
    assert (rule["repositories"], rule["tags"], rule["restores"]) == (["*"], ["v*"], True)
    path, change = f"immutable-tags/{rule['id']}", {"restores": False}
    assert call(client, "PUT", path, as_="owner", json=change, headers={"If-Match": '"x"'}).status_code == 412
    etag = {"If-Match": shown.headers["ETag"]}
    assert call(client, "PUT", path, as_="owner", json=change, headers=etag).get_json()["restores"] is False
    assert call(client, "DELETE", path, as_="owner").status_code == 204
    assert call(client, "GET", "immutable-tags").get_json() == []


@pytest.mark.parametrize(
    ("caller", "namespace", "status"),
    [
        (None, "team", 401),
        ("viewer", "team", 403),
        ("auditor", "team", 403),
        ("stranger", "team", 403),
        ("owner", None, 403),
        ("owner", "team", 201),
        ("administrator", None, 201),
        ("administrator", "", 201),
    ],
)
def test_who_makes_rules(client: FlaskClient, caller: str | None, namespace: str | None, status: int) -> None:
    answer = call(client, "POST", "immutable-tags", as_=caller, json={**RULE, "namespace": namespace})

    assert answer.status_code == status, answer.text


def test_strangers_see_neither_rules_nor_overwrites(client: FlaskClient, tell: Callable[..., None]) -> None:
    rule = call(client, "POST", "immutable-tags", json=RULE).get_json()
    tell(push("v1", digest_of("a"), 1, actor="jane"), push("v1", digest_of("b"), 2, actor="jane"))

    (overwrite,) = call(client, "GET", "overwrites?state=waiting&repository_prefix=team/", as_="viewer").get_json()
    assert (overwrite["tag"], overwrite["actor"], overwrite["rule_id"]) == ("v1", "jane", rule["id"])
    assert (overwrite["previous_digest"], overwrite["digest"]) == (digest_of("a"), digest_of("b"))
    assert call(client, "GET", "overwrites", as_="stranger").get_json() == []
    assert call(client, "GET", "immutable-tags", as_="stranger").get_json() == []
    assert_problem(call(client, "GET", f"immutable-tags/{rule['id']}", as_="stranger"), 404)
    assert_problem(call(client, "DELETE", f"immutable-tags/{rule['id']}", as_="stranger"), 404)
    assert_problem(call(client, "DELETE", f"immutable-tags/{rule['id']}", as_="viewer"), 403)


@pytest.mark.parametrize(
    ("caller", "status"),
    [(None, 401), ("stranger", 404), ("viewer", 403), ("auditor", 403), ("owner", 202), ("administrator", 202)],
)
def test_who_has_it_tried_again_to_put_a_tag_back(
    client: FlaskClient, tell: Callable[..., None], caller: str | None, status: int
) -> None:
    call(client, "POST", "immutable-tags", json=RULE)
    tell(push("v1", digest_of("a"), 1, actor="jane"), push("v1", digest_of("b"), 2, actor="jane"))
    (overwrite,) = call(client, "GET", "overwrites").get_json()

    answer = call(client, "POST", f"overwrites/{overwrite['id']}/retry", as_=caller)

    assert answer.status_code == status, answer.text
    if status == 202:
        assert (answer.get_json()["state"], answer.get_json()["attempts"]) == ("waiting", 0)
        assert answer.get_json()["next_attempt_at"]


def test_what_is_only_reported_is_not_tried_again(client: FlaskClient, tell: Callable[..., None]) -> None:
    call(client, "POST", "immutable-tags", json={**RULE, "restores": False})
    tell(push("v1", digest_of("a"), 1, actor="jane"), push("v1", digest_of("b"), 2, actor="jane"))
    (overwrite,) = call(client, "GET", "overwrites").get_json()
    assert overwrite["next_attempt_at"] is None

    assert_problem(call(client, "POST", f"overwrites/{overwrite['id']}/retry"), 409)


@pytest.mark.parametrize(
    "wrong", [{"tags": []}, {"tags": None}, {"tags": [""]}, {"namespace": "Team"}, {"restores": "x"}, {"other": 1}]
)
def test_what_is_no_rule_is_refused(client: FlaskClient, wrong: dict[str, Any]) -> None:
    assert_problem(call(client, "POST", "immutable-tags", json={**RULE, **wrong}), 422)
