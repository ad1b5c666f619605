"""``GET /api/v1/events``: who may follow the log, and how."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Semaphore, Thread
from typing import Any

import pytest
from werkzeug import Request, Response

from services.notifier.usecases.record_events import purge_log, record_events
from shared.clock import utc_now
from shared.config import Secret
from tests.api.notifier.conftest import NotifierFactory
from tests.support.auth import assert_problem
from tests.support.messages import make_envelope
from tests.support.notifier import Notifier
from tests.support.serving import serving
from tests.support.visibility import AuthAnswers

PATH = "/events"
Log = Callable[..., None]


@pytest.fixture
def log(asked: Notifier) -> Callable[..., None]:
    """A function that puts pushes to repositories into the log."""

    def record(*repositories: str) -> None:
        told = [
            make_envelope(f"{name}-{number}", repository=name, address="192.0.2.7")
            for number, name in enumerate(repositories)
        ]
        record_events(told, database=asked.database, clock=utc_now)

    return record


def listed(notifier: Notifier, query: str = "", *, as_: str = "Bearer administrator") -> list[dict[str, Any]]:
    """Return the events that are answered."""
    found: list[dict[str, Any]] = notifier.get(PATH + query, as_=as_).get_json()
    return found


def test_an_event_is_shown_with_its_number(asked: Notifier, log: Log) -> None:
    log("jane/app")

    (event,) = listed(asked)
    assert event.pop("recorded_at")
    assert event == {
        "sequence": 1,
        "source": "registry/localhost:5000",
        "id": "jane/app-0",
        "type": "registry.notification.v1",
        "time": "2026-11-23T12:00:00+00:00",
        "subject": None,
        "repository": "jane/app",
        "namespace": "jane",
        "data": {"repository": "jane/app", "address": "192.0.2.7"},
    }


def test_a_reader_goes_on_where_it_stopped(asked: Notifier, log: Log) -> None:
    log(*["jane/app"] * 5)

    first = asked.get(f"{PATH}?limit=2&namespace=jane")
    second = asked.client.get(first.headers["Link"].partition(">")[0][1:], headers={"Authorization": "Bearer jane"})
    third = asked.get(f"{PATH}?after={second.headers['X-Next-After']}")

    assert first.headers["Link"] == '</api/v1/events?limit=2&namespace=jane&after=2>; rel="next"'
    assert [[event["sequence"] for event in answer.json or ()] for answer in (first, second, third)] == [
        [1, 2],
        [3, 4],
        [5],
    ]
    assert "Link" not in third.headers
    assert (third.headers["X-Next-After"], third.headers["X-Last-Sequence"]) == ("5", "5")


def test_a_reader_who_sees_nothing_gets_on_all_the_same(asked: Notifier, log: Log) -> None:
    """Or it would have the whole log looked through again at each question."""
    log("team/app", "team/app")

    answer = asked.get(PATH, as_="Bearer jane")

    assert (answer.json, answer.headers["X-Next-After"]) == ([], "2")


@pytest.mark.parametrize(
    ("caller", "repositories"),
    [
        ("Bearer administrator", ["jane/app", "team/app"]),
        ("Bearer auditor", ["jane/app", "team/app"]),
        ("Bearer jane", ["jane/app"]),
    ],
)
def test_who_sees_what(asked: Notifier, log: Log, caller: str, repositories: list[str]) -> None:
    log("jane/app", "team/app")

    assert [event["repository"] for event in listed(asked, as_=caller)] == repositories


def test_nobody_reads_the_log_without_a_name(asked: Notifier, log: Log) -> None:
    log("jane/app")

    answer = asked.get(PATH, as_=None)

    assert_problem(answer, 401, "Sign in")
    assert "WWW-Authenticate" in answer.headers


def test_wrong_credentials_are_told_so(asked: Notifier) -> None:
    assert_problem(asked.get(PATH, as_="Bearer stolen"), 401)


def test_with_auth_away_nothing_is_shown(make_notifier: NotifierFactory, broker: Secret) -> None:
    answer = make_notifier(broker).get(PATH)

    assert_problem(answer, 503)
    assert answer.headers["Retry-After"] == "5"


def test_answers_are_for_the_caller_alone(asked: Notifier) -> None:
    assert asked.get(PATH).headers["Cache-Control"] == "private, no-store"


def test_the_address_of_a_caller_is_passed_on(asked: Notifier, auth: AuthAnswers) -> None:
    asked.get(PATH)

    assert (auth.asked[0]["X-Forwarded-For"], auth.asked[0]["User-Agent"]) == ("127.0.0.1", "portus-notifier")


def test_a_reader_who_was_away_for_too_long_is_told(asked: Notifier, log: Log) -> None:
    log(*["jane/app"] * 5)
    purge_log(database=asked.database, clock=utc_now, keep_for=timedelta(days=1), keep=2)

    assert_problem(asked.get(f"{PATH}?after=2"), 410, "the oldest is 4", "after=0")
    assert [event["sequence"] for event in listed(asked, "?after=3")] == [4, 5]
    assert [event["sequence"] for event in listed(asked)] == [4, 5]


def test_a_reader_who_is_ahead_of_the_log_is_told(asked: Notifier, log: Log) -> None:
    log("jane/app")

    assert asked.get(f"{PATH}?after=1").status_code == 200
    assert_problem(asked.get(f"{PATH}?after=2"), 422, "The newest event is 1")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=9223372036854775808", "after"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        (f"type={'x' * 256}", "type"),
        ("repository=%00", "repository"),
        (f"namespace={'x' * 256}", "namespace"),
    ],
)
def test_a_bad_parameter_is_named(asked: Notifier, query: str, field: str) -> None:
    answer = asked.get(f"{PATH}?{query}")

    assert answer.status_code == 422
    assert field in str(answer.json)


def test_those_who_ask_keep_no_registry_waiting(make_notifier: NotifierFactory, broker: Secret) -> None:
    """With an ``auth`` that does not answer, half of the threads stay free for events."""
    with holding() as (url, arrived, answer):
        notifier = make_notifier(broker, auth_url=url)
        readers = [Thread(target=notifier.get, args=(PATH,)) for _ in range(2)]
        for reader in readers:
            reader.start()
        for _ in readers:
            assert arrived.acquire(timeout=30)

        refused = notifier.get(PATH)
        taken = notifier.post_events()
        answer.set()
        for reader in readers:
            reader.join(30)

    assert_problem(refused, 503, "Too many")
    assert taken.status_code == 202


@contextmanager
def holding() -> Iterator[tuple[str, Semaphore, Event]]:
    """Serve an ``auth`` that answers nobody until it is let."""
    arrived, answer = Semaphore(0), Event()

    @Request.application
    def hold(_request: Request) -> Response:
        arrived.release()
        answer.wait(30)
        return Response("no", 401)

    with serving(hold) as url:
        yield url, arrived, answer


def test_a_page_of_the_portal_may_follow_the_log(asked: Notifier) -> None:
    answer = asked.client.get("/api/v1/events", headers={"Origin": "https://portus.example.org"})

    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert asked.client.options("/api/v1/events").status_code == 200
