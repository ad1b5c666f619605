"""Creations that are sent again, on both databases."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.catalog.app import create_app
from services.catalog.storage.tables import idempotency_keys
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.purge_history import purge_history
from shared.api.openapi import ProblemApi
from shared.clock import Clock, utc_now
from shared.config import Secret
from shared.messaging.topology import declare_topology
from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, envelope_for, make_settings, new_index, push
from tests.support.catalog_clients import new_fetcher, nowhere
from tests.support.creating import (
    Creation,
    Maker,
    check_another_body,
    check_at_once,
    check_kept,
    check_refusal,
    check_repeating,
    creating_routes,
)
from tests.support.visibility import NOBODY, AuthAnswers, subject

JANE, JOE = "Bearer jane", "Bearer joe"
SEEN = {**NOBODY, "namespaces": ["team"]}
TERMS = {"keep_newest": 5}
COMMENT = Creation("/repositories/1/comments", {"body": "what jane said here"}, {"body": "else"}, {"body": " "})
CREATIONS = [
    COMMENT,
    Creation(
        "/retention/rules",
        {"name": "ours", "namespace": "team", "every_hours": 1, "terms": TERMS},
        {"name": "others", "namespace": "team", "every_hours": 1, "terms": TERMS},
        {"name": "ours", "namespace": "team", "every_hours": 0, "terms": TERMS},
    ),
    Creation(
        "/immutable-tags",
        {"namespace": "team", "tags": ["v*"]},
        {"namespace": "team", "tags": ["w*"]},
        {"namespace": "team", "tags": []},
    ),
]
every_creation = pytest.mark.parametrize("creation", CREATIONS, ids=lambda one: one.path)


@pytest.fixture
def maker(tmp_path: Path, database_url: str, auth: AuthAnswers, auth_url: str) -> Iterator[Maker]:
    for name in ("jane", "joe"):
        auth.visibility[f"Bearer {name}"] = {**SEEN, "subject": subject(name)}
    auth.visibility[None] = SEEN
    settings = make_settings(tmp_path, auth_url, database_url=Secret(database_url))
    declare_topology(settings.broker_url)
    with ExitStack() as stack:
        index = new_index(database_url)
        stack.callback(index.dispose)
        fetcher = new_fetcher(nowhere(), index)
        stack.callback(fetcher.close)
        told = [envelope_for(push("1.0", digest_of("x"), 1, repository="team/app"))]
        apply_notifications(told, database=index, fetcher=fetcher, clock=utc_now)
        app = create_app(settings, index)

        def call(
            method: str, path: str, *, as_: str | None, headers: Mapping[str, str] | None = None, **options: Any
        ) -> TestResponse:
            given = {**(headers or {}), **({"Authorization": as_} if as_ else {})}
            return app.test_client().open(f"/api/v1{path}", method=method, headers=given, **options)

        yield Maker(call, JANE, index, idempotency_keys)


def test_every_creation_takes_a_key(tmp_path: Path, database_url: str) -> None:
    settings = make_settings(tmp_path, "http://127.0.0.1:9")
    index = new_index(database_url)
    api: ProblemApi = create_app(settings, index).extensions["portus.openapi"]
    index.dispose()

    routes = creating_routes(api.spec.to_dict())

    assert set(routes.values()) == {True}
    assert len(routes) == len(CREATIONS)


@every_creation
def test_a_repeated_creation_is_answered_as_before(maker: Maker, creation: Creation) -> None:
    check_repeating(maker, creation)


@every_creation
def test_another_body_under_the_same_key_is_422(maker: Maker, creation: Creation) -> None:
    check_another_body(maker, creation)


@every_creation
def test_a_refused_creation_is_tried_anew(maker: Maker, creation: Creation) -> None:
    check_refusal(maker, creation)


def test_two_at_once_make_one_thing(maker: Maker) -> None:
    check_at_once(maker, COMMENT)


def test_kept_answers_hold_nothing_in_clear_and_go_after_a_day(maker: Maker) -> None:
    def forget(clock: Clock) -> None:
        purge_history(database=maker.database, clock=clock)

    check_kept(maker, COMMENT, forget, "what jane said")


def test_a_key_belongs_to_one_caller(maker: Maker) -> None:
    maker.make(COMMENT)

    answer = maker.make(COMMENT, as_=JOE)

    assert (answer.status_code, (answer.json or {})["author"]) == (201, {"username": "joe"})
    assert maker.count(COMMENT) == 2


def test_another_person_of_the_same_name_is_another_caller(maker: Maker, auth: AuthAnswers) -> None:
    auth.visibility[JANE] = {**SEEN, "subject": {**subject("jane"), "id": 7}}
    maker.make(COMMENT)
    auth.visibility[JANE] = {**SEEN, "subject": {**subject("jane"), "id": 8}}

    assert "Idempotency-Replayed" not in maker.make(COMMENT).headers


def test_who_has_not_signed_in_is_refused_as_ever(maker: Maker) -> None:
    assert_problem(maker.make(COMMENT, as_=None), 403, "signed in")
    assert maker.kept() == []


def test_a_wrong_credential_gets_no_answer_of_another(maker: Maker) -> None:
    maker.make(COMMENT)

    assert_problem(maker.make(COMMENT, as_="Bearer stolen"), 401)


def test_who_may_no_longer_is_told_what_was_made_and_makes_nothing(maker: Maker, auth: AuthAnswers) -> None:
    """The answer was theirs already; another key gets the refusal."""
    rule = CREATIONS[1]
    maker.make(rule)
    auth.permissions[JANE] = {"delete": "viewers delete nothing"}

    assert maker.make(rule).headers["Idempotency-Replayed"] == "true"
    assert_problem(maker.make(rule, rule.other, key="another"), 403, "viewers delete nothing")


@pytest.mark.parametrize("number", ["2", "x", "9" * 30])
def test_a_comment_that_is_not_there_is_not_found(maker: Maker, number: str) -> None:
    maker.make(COMMENT)

    assert maker.call("GET", f"{COMMENT.path}/{number}", as_=JANE).status_code == 404
