import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notifier.domain.notifications import (
    LONGEST_RAW_BYTES,
    MAX_EVENTS,
    Notification,
    TooManyEvents,
    Unreadable,
    read_envelope,
    read_event,
)
from tests.support.odd_events import odd_events, odd_values
from tests.support.registry_events import VERSIONS, load_captured, make_event


def read(event: object) -> Notification:
    reading = read_event(event)
    assert isinstance(reading, Notification), reading
    return reading


def refuse(event: object) -> Unreadable:
    reading = read_event(event)
    assert isinstance(reading, Unreadable), reading
    return reading


def test_every_field_of_an_event_is_read() -> None:
    assert read(make_event()) == Notification(
        id="cb3bbb69-d039-43ec-8c7e-95690e8cd061",
        occurred_at=datetime(2026, 11, 23, 8, 22, 20, 685486, tzinfo=UTC),
        action="push",
        repository="team-a/web",
        registry="localhost:5000",
        instance_id="7eda372d-8c29-4fbe-bea5-6c83e1d74b28",
        digest=f"sha256:{'d1' * 32}",
        tag="1.0",
        media_type="application/vnd.oci.image.manifest.v1+json",
        size_bytes=418,
        method="PUT",
        user_agent="skopeo/1.9",
        address="127.0.0.1:43014",
        actor="jane",
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_real_registries_send_is_understood(version: str) -> None:
    readings = [
        reading for captured in load_captured(version) for reading in read_envelope(json.dumps(captured.body).encode())
    ]

    assert len(readings) >= 40
    assert [reading for reading in readings if isinstance(reading, Unreadable)] == []


def test_an_empty_text_is_an_absent_one() -> None:
    """Registry 3.x writes ``""`` and 0 where 2.8 leaves the field out."""
    event = make_event(action="delete", target={"mediaType": "", "digest": "", "size": 0, "fromRepository": ""})

    reading = read(event)

    assert (reading.media_type, reading.digest, reading.size_bytes, reading.from_repository) == (None, None, None, None)


@pytest.mark.parametrize("field", ["timestamp", "request", "actor", "source"])
def test_what_an_event_does_not_need_may_be_missing(field: str) -> None:
    event = make_event()
    del event[field]

    assert read(event).repository == "team-a/web"


@pytest.mark.parametrize("field", ["timestamp", "request", "actor", "source"])
@pytest.mark.parametrize("value", [5, [], "odd", {"name": 5}], ids=repr)
def test_what_an_event_does_not_need_may_be_nonsense(field: str, value: object) -> None:
    assert read({**make_event(), field: value}).repository == "team-a/web"


def test_unknown_fields_and_actions_are_taken() -> None:
    assert (
        read(make_event(action="garbage-collect", colour="blue", target={"taste": "sweet"})).action == "garbage-collect"
    )


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        pytest.param("push", "the event is not an object", id="a text"),
        pytest.param(None, "the event is not an object", id="null"),
        pytest.param({}, "the event has no target.repository", id="nothing in it"),
        pytest.param(make_event(id=""), "the event has no id", id="no id"),
        pytest.param(make_event(id="x" * 256), "the event's id is not a printable text", id="an endless id"),
        pytest.param(make_event(id=5), "the event's id is not a printable text", id="a number for an id"),  # type: ignore[arg-type]
        pytest.param(make_event(id="a\x00b"), "the event's id is not a printable text", id="NUL in the id"),
        pytest.param(make_event(action=None), "the event has no action", id="no action"),
        pytest.param(make_event(action="x" * 65), "the event's action is not", id="an endless action"),
        pytest.param(make_event(target={"repository": None}), "the event has no target.repository", id="no repository"),
        pytest.param(make_event(target={"repository": "Team/App"}), "not a valid repository name", id="capitals"),
        pytest.param(make_event(target={"repository": "../etc"}), "not a valid repository name", id="a path"),
        pytest.param(make_event(target={"repository": ["a"]}), "target.repository is not a text", id="a list"),
        pytest.param(make_event(target={"tag": "a b"}), "not a valid tag", id="a tag with a space"),
        pytest.param(make_event(target={"tag": 5}), "target.tag is not a text", id="a number for a tag"),
        pytest.param(make_event(target={"digest": "sha256:short"}), "not a valid digest", id="half a digest"),
        pytest.param(make_event(target={"fromRepository": "A"}), "not a valid repository name", id="a bad source"),
    ],
)
def test_an_event_that_cannot_be_understood_is_kept_with_a_reason(event: object, reason: str) -> None:
    reading = refuse(event)

    assert reason in reading.reason
    assert json.loads(reading.raw) == event


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("2026-11-23T08:22:20Z", datetime(2026, 11, 23, 8, 22, 20, tzinfo=UTC), id="whole seconds"),
        pytest.param("2026-11-23T09:22:20+01:00", datetime(2026, 11, 23, 8, 22, 20, tzinfo=UTC), id="another zone"),
        pytest.param("2026-11-23T08:22:20", datetime(2026, 11, 23, 8, 22, 20, tzinfo=UTC), id="no zone"),
        pytest.param("0001-01-01T00:00:00Z", None, id="Go's zero time"),
        pytest.param("9999-12-31T23:59:59-23:00", None, id="after the last year of all"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param(1763885000, None, id="a number"),
    ],
)
def test_a_timestamp_is_read_when_it_is_one(value: object, expected: datetime | None) -> None:
    assert read(make_event(timestamp=value)).occurred_at == expected


@pytest.mark.parametrize("size", [-1, True, 1.5, "418", 2**63], ids=repr)
def test_a_size_that_is_none_is_absent(size: object) -> None:
    assert read(make_event(target={"size": size})).size_bytes is None


def test_texts_of_clients_are_cut_and_fit_for_a_database() -> None:
    reading = read(make_event(request={"useragent": "a\x00b\ud800" + "x" * 10_000, "host": "h" * 10_000}))

    assert reading.user_agent is not None
    assert reading.user_agent.startswith("a\ufffdb?x")
    assert len(reading.user_agent) == 255
    assert len(f"registry/{reading.registry}") <= 255


def test_an_envelope_may_hold_any_number_of_events() -> None:
    body = {"events": [make_event(f"event-{number}") for number in range(300)] + [{}]}

    readings = read_envelope(json.dumps(body).encode())

    assert len(readings) == 301
    assert isinstance(readings[-1], Unreadable)


def test_an_envelope_without_events_is_empty() -> None:
    assert read_envelope(b'{"events": []}') == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"\xff\xfe\x00", "not JSON", id="not text"),
        pytest.param(b"<html>", "not JSON", id="HTML"),
        pytest.param(b"9" * 10_000, "not JSON", id="an endless number"),
        pytest.param(b"[" * 100_000, "recursion", id="deep nesting"),
        pytest.param(b"[]", "no list 'events'", id="a list"),
        pytest.param(b'{"events": {}}', "no list 'events'", id="events that are no list"),
        pytest.param(b'{"events": null}', "no list 'events'", id="events that are null"),
    ],
)
def test_a_body_that_is_no_envelope_is_kept_whole(body: bytes, reason: str) -> None:
    [reading] = read_envelope(body)

    assert isinstance(reading, Unreadable)
    assert reason in reading.reason
    assert len(reading.raw) > 0 or body == b""
    assert "\x00" not in reading.raw


def test_what_is_kept_is_cut() -> None:
    [reading] = read_envelope(b"x" * (LONGEST_RAW_BYTES + 1))

    assert isinstance(reading, Unreadable)
    assert len(reading.raw) == LONGEST_RAW_BYTES


def test_an_envelope_with_too_many_events_is_refused() -> None:
    body = json.dumps({"events": [{}] * (MAX_EVENTS + 1)}).encode()

    with pytest.raises(TooManyEvents, match="may hold 50000 events, this one holds 50001"):
        read_envelope(body)


@given(envelope=odd_values())
def test_any_json_as_an_envelope_is_read_or_kept(envelope: Any) -> None:
    readings = read_envelope(json.dumps(envelope).encode())

    assert all(isinstance(reading, Notification) or reading.reason for reading in readings)


@given(event=odd_events())
@example(event=make_event(timestamp="9999-12-31T23:59:59-23:00"))
def test_any_json_in_place_of_an_event_or_a_field_is_read_or_kept(event: Any) -> None:
    [reading] = read_envelope(json.dumps({"events": [event]}).encode())

    assert isinstance(reading, Notification) or reading.reason


@given(depth=st.integers(1, 5_000), field=st.sampled_from(["timestamp", "target", "id", "x"]))
@example(depth=100_000, field="timestamp")
def test_any_nesting_is_read_or_kept(depth: int, field: str) -> None:
    nested = f"{'[' * depth}{']' * depth}"

    [reading] = read_envelope(f'{{"events": [{{"{field}": {nested}}}]}}'.encode())

    assert isinstance(reading, Unreadable)


@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_kept(body: bytes) -> None:
    assert all(isinstance(reading, Notification) or reading.reason for reading in read_envelope(body))
