"""Creations that are sent again, on both databases."""

from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.notifier.storage.tables import idempotency_keys
from services.notifier.usecases.forget_answers import forget_answers
from shared.config import Secret
from tests.api.notifier.conftest import NotifierFactory
from tests.support.auth import assert_problem
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
from tests.support.notifier import Notifier
from tests.support.visibility import NOBODY, AuthAnswers, subject

OLGA, VERA = "Bearer olga", "Bearer vera"
TEAM = 7
PASSWORD, SECRET, TOKEN = "hunter2-hunter2", "correct horse battery", "header-token-1"
BODY = {"namespace_id": TEAM, "name": "ci", "url": "https://ci.example.org/hook?key=a-key-in-the-address"}
WEBHOOK = Creation(
    "/webhooks?namespace_id=7",
    {**BODY, "username": "jane", "password": PASSWORD, "secret": SECRET},
    {**BODY, "username": "jane", "password": "another", "secret": SECRET},
    {**BODY, "url": "gopher://ci.example.org"},
)
HEADER = Creation(
    "/webhooks/1/headers",
    {"name": "X-Token", "value": TOKEN},
    {"name": "X-Other", "value": TOKEN},
    {"name": "X Token", "value": TOKEN},
)
every_creation = pytest.mark.parametrize("creation", [WEBHOOK, HEADER], ids=["webhook", "header"])


@pytest.fixture
def asked(
    make_notifier: NotifierFactory, broker: Secret, auth: AuthAnswers, auth_url: str, database_url: str
) -> Notifier:
    """Olga owns the team of the namespace, Vera sees it; there is one webhook."""
    for name in ("olga", "vera"):
        auth.visibility[f"Bearer {name}"] = {**NOBODY, "subject": subject(name)}
        auth.namespaces[f"Bearer {name}"] = {TEAM: "team"}
    auth.operations[VERA] = {TEAM: {"webhook.create": "viewers may not", "webhook.manage": "viewers may not"}}
    notifier = make_notifier(broker, auth_url=auth_url, database_url=Secret(database_url))
    assert notifier.call("POST", "/webhooks", as_=OLGA, json=BODY).status_code == 201
    return notifier


@pytest.fixture
def maker(asked: Notifier) -> Maker:
    def call(
        method: str, path: str, *, as_: str | None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> TestResponse:
        who = {"Authorization": as_} if as_ else {}
        return asked.client.open(f"/api/v1{path}", method=method, headers={**(headers or {}), **who}, **options)

    return Maker(call, OLGA, asked.database, idempotency_keys)


def test_every_creation_takes_a_key(asked: Notifier) -> None:
    routes = creating_routes(asked.app.extensions["portus.openapi"].spec.to_dict())

    assert routes == {"/api/v1/webhooks": True, "/api/v1/webhooks/{webhook}/headers": True}


@every_creation
def test_a_repeated_creation_is_answered_as_before(maker: Maker, creation: Creation) -> None:
    check_repeating(maker, creation)


@every_creation
def test_another_body_under_the_same_key_is_422(maker: Maker, creation: Creation) -> None:
    check_another_body(maker, creation)


@every_creation
def test_a_refused_creation_is_tried_anew(maker: Maker, creation: Creation) -> None:
    check_refusal(maker, creation)


@every_creation
def test_two_at_once_make_one_thing(maker: Maker, creation: Creation) -> None:
    check_at_once(maker, creation)


@every_creation
def test_kept_answers_hold_nothing_in_clear_and_go_after_a_day(maker: Maker, creation: Creation) -> None:
    def forget(clock: Any) -> None:
        forget_answers(database=maker.database, clock=clock)

    check_kept(maker, creation, forget, PASSWORD, SECRET, TOKEN, "a-key-in-the-address")


def test_who_may_not_is_refused_and_leaves_nothing(maker: Maker) -> None:
    assert_problem(maker.make(WEBHOOK, as_=VERA), 403, "viewers may not")
    assert_problem(maker.make(WEBHOOK, as_="Bearer stolen"), 401)
    assert_problem(maker.make(WEBHOOK, as_=None), 401)
    assert maker.kept() == []


def test_an_answer_is_for_the_caller_who_got_it(maker: Maker) -> None:
    """The address of a webhook may hold a secret that others do not see."""
    maker.make(WEBHOOK)

    assert_problem(maker.make(WEBHOOK, as_=VERA), 403)


def test_a_header_is_shown_to_those_who_see_its_webhook(maker: Maker) -> None:
    path = maker.make(HEADER).headers["Location"].removeprefix("/api/v1")

    answers = {who: maker.call("GET", path, as_=who) for who in (OLGA, VERA, "Bearer jane")}

    assert [answers[who].get_json()["value"] for who in (OLGA, VERA)] == [TOKEN, "***"]
    assert answers["Bearer jane"].status_code == 404
    assert maker.call("GET", "/webhooks/1/headers/99", as_=OLGA).status_code == 404
