"""``/api/v1/repositories/:id/history`` and ``/restore``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.catalog.app import create_app
from services.catalog.settings import Settings
from shared.database import Database
from tests.conftest import RegistryFactory
from tests.support.auth import assert_problem
from tests.support.catalog import delete, digest_of, push
from tests.support.images import Pusher
from tests.support.registry import Registry
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

JANE = "Bearer jane"
A, B = digest_of("a"), digest_of("b")
Tell = Callable[..., None]


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def client(registry: Registry, catalog_settings: Settings, index: Database, auth: AuthAnswers) -> FlaskClient:
    auth.visibility[JANE] = {**EVERYTHING, "subject": subject("jane")}
    return create_app(replace(catalog_settings, registry_url=registry.url), index).test_client()


def get(client: FlaskClient, path: str, *, as_: str = JANE) -> TestResponse:
    return client.get(f"/api/v1/repositories/1/history{path}", headers={"Authorization": as_})


def restore(client: FlaskClient, tag: Any, digest: Any, *, as_: str = JANE) -> TestResponse:
    values = {"tag": tag, "digest": digest}
    return client.post("/api/v1/repositories/1/restore", headers={"Authorization": as_}, json=values)


def test_a_restore_that_would_move_what_must_not_move_names_the_rule(
    client: FlaskClient, tell: Tell, auth: AuthAnswers
) -> None:
    auth.visibility["Bearer root"] = {**EVERYTHING, "subject": subject("root", administrator=True)}
    rule = {"namespace": "team", "tags": ["v*"], "restores": False}
    headers = {"Authorization": "Bearer root"}
    assert client.post("/api/v1/immutable-tags", headers=headers, json=rule).status_code == 201
    tell(push("v1", A, 1), push("dev", B, 2))

    answer = restore(client, "v1", B)

    problem = assert_problem(answer, 422)
    assert problem["detail"].startswith("The tag v1 must not move: rule 1 (v*) says so.")


def test_a_tag_says_what_it_pointed_at(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", A, 1, actor="jane"), push("1.0", B, 2, actor="joe"), delete(3, tag="1.0", actor="ann"))

    answer = get(client, "/1.0?per_page=1&page=2")

    assert answer.json == [
        {
            "digest": A,
            "since": "2026-11-23T12:00:01+00:00",
            "pushed_by": "jane",
            "is_witnessed": True,
            "until": "2026-11-23T12:00:02+00:00",
            "end": "overwritten",
            "ended_by": "joe",
        }
    ]
    assert answer.headers["X-Total"] == "2"


def test_a_repository_says_what_was_done_newest_first_and_by_key(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", A, 1, actor="jane"), push("latest", A, 2, actor="joe"), delete(3, tag="1.0", actor="ann"))

    first = get(client, "?per_page=2")
    rest = client.get(first.headers["Link"].partition(">")[0][1:], headers={"Authorization": JANE})
    narrowed = get(client, f"?tag=latest&digest={A}&kind=pushed&actor=joe")

    shown: Any = [(row["tag"], row["kind"], row["actor"]) for row in [*first.json, *rest.json]]  # type: ignore[misc]
    assert shown == [("1.0", "deleted", "ann"), ("latest", "pushed", "joe"), ("1.0", "pushed", "jane")]
    assert [row["tag"] for row in narrowed.json] == ["latest"]  # type: ignore[union-attr]


def test_a_tag_is_restored(client: FlaskClient, tell: Tell, registry: Registry, auth: AuthAnswers) -> None:
    pusher = Pusher(registry.url)
    old = pusher.image("team/app", "1.0")
    new = pusher.image("team/app", "1.0")
    tell(push("1.0", old["digest"], 1), push("1.0", new["digest"], 2))

    answer = restore(client, "1.0", old["digest"])

    assert (answer.status_code, answer.json) == (
        200,
        {"repository_id": 1, "tag": "1.0", "digest": old["digest"], "manifests": [old["digest"]]},
    )
    (newest, *_) = get(client, "/1.0").json  # type: ignore[misc]
    assert (newest["digest"], newest["pushed_by"], newest["end"]) == (old["digest"], "jane", None)
    assert '"actions": ["push"]' in auth.asked[-2]["body"]


def test_what_the_registry_no_longer_has_is_named(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", A, 1), push("1.0", B, 2))

    answer = restore(client, "1.0", A)

    assert (answer.status_code, (answer.json or {})["errors"]) == (422, {"missing": [A]})


def test_who_may_not_push_is_told_why(client: FlaskClient, tell: Tell, auth: AuthAnswers) -> None:
    tell(push("1.0", A, 1))
    auth.permissions[JANE] = {"push": "a viewer of the team may not"}

    answer = restore(client, "1.0", A)

    assert (answer.status_code, (answer.json or {})["detail"]) == (403, "a viewer of the team may not")


def test_nobody_else_sees_anything(client: FlaskClient, tell: Tell, auth: AuthAnswers) -> None:
    tell(push("1.0", A, 1))
    auth.visibility["Bearer stranger"] = NOBODY

    answers = [get(client, path, as_="Bearer stranger") for path in ("", "/1.0")]

    assert [one.status_code for one in [*answers, restore(client, "1.0", A, as_="Bearer stranger")]] == [404] * 3
    assert restore(client, "1.0", A, as_="Bearer stolen").status_code == 401


@pytest.mark.parametrize(("tag", "digest", "status"), [("x" * 129, A, 404), ("1.0", "sha256:0", 404), ("1.0", 5, 422)])
def test_what_is_no_name_is_refused(tag: str, digest: Any, status: int, client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", A, 1))

    assert restore(client, tag, digest).status_code == status


def test_a_missing_tag_has_no_history(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", A, 1))

    assert [get(client, path).status_code for path in ("/missing", "/%00")] == [404, 404]
