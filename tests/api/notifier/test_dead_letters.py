"""``/api/v1/dead-letters``: who may look, who may have them tried again, and that they are."""

import json
from typing import Any

import pytest

from services.notifier.usecases.keep_dead_letters import keep_dead_letters, return_due_letters
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import dump_envelope
from shared.messaging.dead_letters import DeadLetter, return_letters
from tests.support.auth import assert_problem
from tests.support.messages import Collector, consuming, make_envelope
from tests.support.notifier import Notifier
from tests.support.waiting import wait_until

PATH = "/dead-letters"
QUEUE = "catalog.notifications"


def keep(notifier: Notifier, *ids: str, queue: str = QUEUE, reason: str = "Rejected: no such action") -> None:
    letters = [DeadLetter(queue, json.dumps(dump_envelope(make_envelope(id))).encode(), reason) for id in ids]
    keep_dead_letters(letters, database=notifier.database, clock=utc_now)


def listed(notifier: Notifier, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = notifier.get(PATH + query).get_json()
    return found


def ids(notifier: Notifier, query: str = "") -> list[str]:
    return [letter["message_id"] for letter in listed(notifier, query)]


def test_letters_are_listed_without_their_bodies(asked: Notifier) -> None:
    keep(asked, "a")

    (letter,) = listed(asked)
    assert letter.pop("died_at")
    assert letter == {
        "id": 1,
        "queue": QUEUE,
        "message_id": "a",
        "source": "registry/localhost:5000",
        "type": "registry.notification.v1",
        "subject": None,
        "reason": "Rejected: no such action",
        "deaths": 1,
        "replaying": False,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c"]),
        (f"?queue={QUEUE}", ["a", "b"]),
        ("?q=ODD", ["c"]),
        ("?type_prefix=registry.", ["a", "b", "c"]),
        ("?type=auth.user.created.v1", []),
        ("?died_at_until=2020-01-01", []),
        ("?per_page=2&page=2", ["c"]),
    ],
)
def test_a_list_can_be_narrowed(asked: Notifier, query: str, found: list[str]) -> None:
    keep(asked, "a", "b")
    keep(asked, "c", queue="notifier.events", reason="odd")

    assert ids(asked, query) == found


def test_a_letter_is_shown_whole(asked: Notifier) -> None:
    keep(asked, "a")

    letter = asked.get(f"{PATH}/1").get_json()

    assert json.loads(letter["body"])["id"] == "a"
    assert letter["size_bytes"] == len(letter["body"])


def test_a_letter_that_is_no_text_is_shown_all_the_same(asked: Notifier) -> None:
    keep_dead_letters([DeadLetter(QUEUE, b"\xff\x00", "not JSON")], database=asked.database, clock=utc_now)

    assert asked.get(f"{PATH}/1").get_json()["body"] == "\ufffd\x00"


ROUTES = [
    ("GET", PATH, True),
    ("GET", f"{PATH}/1", True),
    ("POST", f"{PATH}/1/replay", False),
    ("DELETE", f"{PATH}/1", False),
    ("POST", f"{PATH}/replay", False),
    ("POST", f"{PATH}/drop", False),
]


@pytest.mark.parametrize(("method", "path", "is_reading"), ROUTES)
def test_who_may(asked: Notifier, method: str, path: str, is_reading: bool) -> None:
    keep(asked, "a")

    got = {
        caller: asked.call(method, path, as_=caller and f"Bearer {caller}", json=None if is_reading else {}).status_code
        for caller in (None, "stolen", "jane", "robot", "auditor", "administrator")
    }

    assert got.pop("administrator") < 300
    assert got == {None: 401, "stolen": 401, "jane": 403, "robot": 403, "auditor": 200 if is_reading else 403}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"{PATH}/7"), ("POST", f"{PATH}/7/replay"), ("DELETE", f"{PATH}/7")]
)
def test_a_letter_that_is_not_there_is_not_found(asked: Notifier, method: str, path: str) -> None:
    assert_problem(asked.call(method, path), 404, "no such dead letter")


def test_a_replayed_letter_is_back_in_its_queue_with_its_id(asked: Notifier, broker: Secret) -> None:
    keep(asked, "a", "b")

    answer = asked.call("POST", f"{PATH}/1/replay")

    assert (answer.status_code, answer.get_json()) == (202, {"count": 1})
    assert [letter["replaying"] for letter in listed(asked)] == [True, False]
    return_due_letters(lambda letters: return_letters(broker, letters), database=asked.database, clock=utc_now)
    collector = Collector()
    with consuming(broker, collector):
        wait_until(lambda: collector.ids == ["a"], what="it is given again")
    assert ids(asked) == ["b"]


def test_a_dropped_letter_is_gone(asked: Notifier) -> None:
    keep(asked, "a", "b")

    assert asked.call("DELETE", f"{PATH}/1").status_code == 204
    assert ids(asked) == ["b"]


@pytest.mark.parametrize(("change", "left"), [("drop", ["c"]), ("replay", ["a", "b", "c"])])
def test_many_are_counted_first_and_then_changed(asked: Notifier, change: str, left: list[str]) -> None:
    keep(asked, "a", "b")
    keep(asked, "c", queue="notifier.events")
    wanted = {"queue": QUEUE}

    counted = asked.call("POST", f"{PATH}/{change}", json=wanted)
    assert (counted.get_json(), ids(asked)) == ({"count": 2}, ["a", "b", "c"])
    changed = asked.call("POST", f"{PATH}/{change}", json={**wanted, "expect": 2})

    assert changed.get_json() == {"count": 2}
    assert ids(asked) == left
    assert sum(letter["replaying"] for letter in listed(asked)) == (2 if change == "replay" else 0)


@pytest.mark.parametrize("change", ["drop", "replay"])
def test_nobody_changes_what_they_have_not_seen(asked: Notifier, change: str) -> None:
    keep(asked, "a", "b")

    answer = asked.call("POST", f"{PATH}/{change}", json={"expect": 1})

    assert_problem(answer, 409, "You expected 1, there are 2 now")
    assert [letter["replaying"] for letter in listed(asked)] == [False, False]


@pytest.mark.parametrize(
    "body", [{"expect": -1}, {"expect": "many"}, {"queeu": QUEUE}, {"q": "\x00"}, {"died_at_until": "tomorrow"}, []]
)
def test_a_bad_filter_changes_nothing(asked: Notifier, body: object) -> None:
    keep(asked, "a")

    assert asked.call("POST", f"{PATH}/drop", json=body).status_code in (400, 422)
    assert ids(asked) == ["a"]


def test_what_was_done_stands_in_the_log(asked: Notifier) -> None:
    keep(asked, "a", "b", "c")
    asked.call("POST", f"{PATH}/1/replay")
    asked.call("POST", f"{PATH}/drop", json={"queue": QUEUE, "expect": 3})
    asked.call("POST", f"{PATH}/drop", json={"queue": QUEUE, "expect": 0})

    assert [(event["type"], event["data"]) for event in asked.get("/events").get_json()] == [
        ("notifier.dead_letters.replayed.v1", {"actor": "root", "letters": 1}),
        ("notifier.dead_letters.dropped.v1", {"actor": "root", "letters": 3, "queue": QUEUE}),
    ]
    assert asked.get("/events", as_="Bearer jane").get_json() == []


def test_they_are_counted_for_whoever_watches(asked: Notifier) -> None:
    keep(asked, "a", "b")

    page = asked.client.get("/metrics").text

    assert f'portus_notifier_dead_letters{{queue="{QUEUE}"}} 2.0' in page
    assert 'portus_notifier_dead_letters{queue="notifier.events"} 0.0' in page
