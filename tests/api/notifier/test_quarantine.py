"""``/api/v1/quarantine``: events that nobody understood, looked at, read again, thrown away."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from services.notifier.usecases.accept_envelope import NothingStored
from services.notifier.usecases.keep_quarantined import keep_quarantined
from services.notifier.usecases.manage_quarantine import replay_quarantined_events
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import Envelope, RegistryNotificationQuarantined, envelope_of
from shared.visibility.answers import Caller, Visibility
from tests.support.auth import assert_problem
from tests.support.messages import Collector, consuming
from tests.support.notifier import Notifier
from tests.support.registry_events import make_event
from tests.support.waiting import wait_until

PATH = "/quarantine"
UNREADABLE = json.dumps({"id": "bad"})


def keep(notifier: Notifier, *raws: str, reason: str = "an older version did not know better") -> None:
    told = [
        envelope_of(
            RegistryNotificationQuarantined(reason, raw), id=f"q-{raw[:50]}", source="registry/x", time=utc_now()
        )
        for raw in raws
    ]
    keep_quarantined(told, database=notifier.database, clock=utc_now)


def listed(notifier: Notifier, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = notifier.get(PATH + query).get_json()
    return found


def reasons(notifier: Notifier) -> list[str]:
    return [event["reason"] for event in listed(notifier)]


def test_events_are_listed_and_shown(asked: Notifier) -> None:
    keep(asked, UNREADABLE, reason="the event has no action")

    (event,) = listed(asked)
    assert set(event) == {"id", "event_id", "received_at", "reason"}
    assert event["reason"] == "the event has no action"
    assert asked.get(f"{PATH}/{event['id']}").get_json() == {**event, "raw": UNREADABLE}


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
    keep(asked, json.dumps(make_event()))

    got = {
        caller: asked.call(method, path, as_=caller and f"Bearer {caller}", json=None if is_reading else {}).status_code
        for caller in (None, "stolen", "jane", "robot", "auditor", "administrator")
    }

    assert got.pop("administrator") < 300
    assert got == {None: 401, "stolen": 401, "jane": 403, "robot": 403, "auditor": 200 if is_reading else 403}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"{PATH}/7"), ("POST", f"{PATH}/7/replay"), ("DELETE", f"{PATH}/7")]
)
def test_an_event_that_is_not_there_is_not_found(asked: Notifier, method: str, path: str) -> None:
    assert_problem(asked.call(method, path), 404, "no such quarantined event")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(json.dumps(make_event("again")), id="an event"),
        pytest.param(json.dumps({"events": [make_event("again")]}), id="a whole body"),
    ],
)
def test_an_event_that_is_understood_now_goes_the_way_of_all_events(asked: Notifier, broker: Secret, raw: str) -> None:
    keep(asked, raw)

    assert asked.call("POST", f"{PATH}/1/replay").status_code == 204

    collector = Collector()
    with consuming(broker, collector):
        wait_until(lambda: collector.ids == ["again"], what="the event arrives")
    assert listed(asked) == []


@pytest.mark.parametrize("raw", [UNREADABLE, "{", "[]", json.dumps(make_event())[:100]])
def test_an_event_that_is_still_not_understood_stays(asked: Notifier, raw: str) -> None:
    keep(asked, raw)

    assert_problem(asked.call("POST", f"{PATH}/1/replay"), 422, "still not understood")
    assert len(listed(asked)) == 1


def test_of_many_those_that_are_understood_go(asked: Notifier, broker: Secret) -> None:
    keep(asked, json.dumps(make_event("a")), UNREADABLE, json.dumps(make_event("b")))

    counted = asked.call("POST", f"{PATH}/replay", json={"q": "OLDER"})
    done = asked.call("POST", f"{PATH}/replay", json={"q": "OLDER", "expect": 3})

    assert (counted.get_json(), done.get_json()) == ({"count": 3, "replayed": 0}, {"count": 3, "replayed": 2})
    collector = Collector()
    with consuming(broker, collector):
        wait_until(lambda: collector.ids == ["a", "b"], what="both arrive")
    assert [event["event_id"] for event in listed(asked)] == [f"q-{UNREADABLE}"]


def test_what_cannot_be_stored_now_stays(asked: Notifier) -> None:
    """With the events behind it; what was stored before it is gone from here."""
    keep(asked, *(json.dumps(make_event(id)) for id in "abc"))
    stored: list[str] = []

    def store(envelopes: Sequence[Envelope]) -> None:
        if stored:
            raise NothingStored
        stored.extend(envelope.id for envelope in envelopes)

    administrator = Visibility(everything=True, caller=Caller("root", "person", administrator=True))
    with pytest.raises(NothingStored):
        replay_quarantined_events(
            administrator,
            {},
            expect=3,
            store=store,
            database=asked.database,
            clock=utc_now,
        )

    assert (stored, len(listed(asked))) == (["a"], 2)


def test_many_are_counted_first_and_then_dropped(asked: Notifier) -> None:
    keep(asked, "1", "2", reason="no body")
    keep(asked, "3", reason="no id")

    counted = asked.call("POST", f"{PATH}/drop", json={"q": "body"})
    refused = asked.call("POST", f"{PATH}/drop", json={"q": "body", "expect": 3})
    dropped = asked.call("POST", f"{PATH}/drop", json={"q": "body", "expect": 2})

    assert (counted.get_json(), dropped.get_json()) == ({"count": 2}, {"count": 2})
    assert_problem(refused, 409, "there are 2 now")
    assert reasons(asked) == ["no id"]


def test_what_was_done_stands_in_the_log(asked: Notifier) -> None:
    keep(asked, json.dumps(make_event()), UNREADABLE)
    asked.call("POST", f"{PATH}/1/replay")
    asked.call("DELETE", f"{PATH}/2")

    assert [(event["type"], event["data"]) for event in asked.get("/events").get_json()] == [
        ("notifier.quarantine.replayed.v1", {"actor": "root", "events": 1}),
        ("notifier.quarantine.dropped.v1", {"actor": "root", "events": 1}),
    ]
