from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts.auth_events import (
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    NamespaceDeleted,
    NamespaceFrozen,
    NamespaceTransferred,
    NamespaceUnfrozen,
    NamespaceUpdated,
    TeamCreated,
    TeamDeleted,
    TeamUpdated,
    UserCreated,
    UserDeleted,
    UserUpdated,
)
from shared.contracts.events import (
    Envelope,
    EventData,
    InvalidMessage,
    NamespaceCreated,
    RegistryNotification,
    RegistryNotificationQuarantined,
    TagDeleted,
    TagPushed,
    dump_envelope,
    envelope_of,
    load_data,
    load_envelope,
)

NOW = datetime(2026, 11, 23, 8, 22, 20, 685486, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64

EXAMPLES: list[EventData] = [
    RegistryNotification(action="push", repository="team-a/web", registry="localhost:5000", digest=DIGEST, tag="1.0"),
    RegistryNotificationQuarantined(reason="no action", raw="{}"),
    TagPushed(repository="team-a/web", tag="1.0", digest=DIGEST),
    TagDeleted(repository="team-a/web", tag="1.0"),
    NamespaceCreated(name="team-a", team="a", visibility="private"),
    NamespaceUpdated(name="team-a", team="a", visibility="public", actor="jane"),
    NamespaceFrozen(name="team-a", team="a", reason="release", repository="team-a/app", actor="jane"),
    NamespaceUnfrozen(name="team-a", team="a", actor="jane"),
    NamespaceTransferred(name="team-a", team="b", previous_team="a", namespace_id=7, team_id=2, actor="jane"),
    NamespaceDeleted(name="team-a", team="b", namespace_id=7, actor="jane"),
    TeamCreated(name="a", actor="jane"),
    TeamUpdated(name="b", previous_name="a", actor="jane"),
    TeamDeleted(name="b", actor="jane"),
    MemberAdded(team="a", username="vera", role="viewer", actor="jane"),
    MemberUpdated(team="a", username="vera", role="owner", actor="jane"),
    MemberRemoved(team="a", username="vera", actor="jane"),
    UserCreated(username="vera"),
    UserUpdated(username="vera", status="disabled", office="none", actor="jane"),
    UserDeleted(username="vera", actor="jane"),
]


def make_envelope(event: EventData) -> Envelope:
    return envelope_of(event, id="1", source="/test", time=NOW, subject="team-a/web")


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.TYPE)
def test_a_message_survives_the_wire(event: EventData) -> None:
    envelope = load_envelope(dump_envelope(make_envelope(event)))

    assert envelope == make_envelope(event)
    assert load_data(type(event), envelope.data) == event


def test_unknown_fields_of_a_later_sender_are_passed_over() -> None:
    data = {"repository": "a/b", "tag": "1", "digest": DIGEST, "colour": "red"}

    assert load_data(TagPushed, data) == TagPushed(repository="a/b", tag="1", digest=DIGEST)


def test_a_missing_field_is_an_invalid_message() -> None:
    with pytest.raises(InvalidMessage, match="TagPushed"):
        load_data(TagPushed, {"repository": "a/b"})


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"id": ""},
        {"id": None},
        {"time": "yesterday"},
        {"time": "2026-11-23T08:22:20"},
        {"time": "9999-12-31T23:59:59-23:00"},
        {"time": "0001-01-01T00:00:00+23:00"},
        {"data": []},
    ],
    ids=lambda change: str(change),
)
def test_a_broken_envelope_is_an_invalid_message(change: dict[str, Any]) -> None:
    body = dump_envelope(make_envelope(EXAMPLES[0])) | change

    with pytest.raises(InvalidMessage):
        load_envelope(body)


def test_a_time_of_another_zone_becomes_utc() -> None:
    body = dump_envelope(make_envelope(EXAMPLES[0])) | {"time": "2026-11-23T09:22:20.685486+01:00"}

    time = load_envelope(body).time

    assert (time, time.tzinfo) == (NOW, UTC)


@pytest.mark.parametrize("body", [None, [], "text", 3])
def test_what_is_no_object_is_an_invalid_message(body: object) -> None:
    with pytest.raises(InvalidMessage):
        load_envelope(body)
