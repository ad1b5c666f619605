"""What a registry is answered, and what then stands in the queues."""

import json
from base64 import b64encode
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.notifier.domain.notifications import MAX_EVENTS
from shared.config import Secret
from shared.contracts.events import Envelope, RegistryNotification, RegistryNotificationQuarantined, load_data
from shared.messaging.topology import CATALOG_NOTIFICATIONS, NOTIFIER_QUARANTINE, QueueSpec
from tests.api.notifier.conftest import NotifierFactory
from tests.support.messages import Collector, consuming
from tests.support.notifier import SECRET, V1, Notifier
from tests.support.odd_events import odd_events, odd_values
from tests.support.registry_events import VERSIONS, load_captured, make_event
from tests.support.waiting import wait_until

V2 = "application/vnd.docker.distribution.events.v2+json"


def receive(broker: Secret, count: int, queue: QueueSpec = CATALOG_NOTIFICATIONS) -> Sequence[Envelope]:
    """Return the first ``count`` events of a queue."""
    collector = Collector()
    with consuming(broker, collector, queue=queue):
        wait_until(lambda: len(collector.ids) >= count, what=f"{count} events arrive")
    return [delivery.envelope for delivery in collector.deliveries]


@pytest.mark.parametrize("content_type", [V1, V2, "application/json", "application/json; charset=utf-8", "text/plain"])
def test_an_envelope_is_taken_whatever_it_is_called(notifier: Notifier, content_type: str) -> None:
    answer = notifier.post(json.dumps({"events": [make_event()]}), content_type=content_type)

    assert answer.status_code == 202
    assert answer.json == {"events": 1, "quarantined": 0}


def test_an_event_goes_out_under_its_own_id(notifier: Notifier, broker: Secret) -> None:
    notifier.post_events(make_event("event-1"))

    [envelope] = receive(broker, 1)
    assert (envelope.id, envelope.source) == ("event-1", "registry/localhost:5000")
    assert (envelope.type, envelope.subject) == ("registry.notification.v1", "team-a/web")
    assert envelope.time.isoformat() == "2026-11-23T08:22:20.685486+00:00"
    assert load_data(RegistryNotification, envelope.data) == RegistryNotification(
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


def test_an_envelope_may_hold_many_events(notifier: Notifier, broker: Secret) -> None:
    answer = notifier.post_events(*[make_event(f"event-{number}") for number in range(250)])

    assert answer.json == {"events": 250, "quarantined": 0}
    assert [envelope.id for envelope in receive(broker, 250)] == [f"event-{number}" for number in range(250)]


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_real_registries_sent_is_taken(notifier: Notifier, broker: Secret, version: str) -> None:
    captured = load_captured(version)

    answers = [notifier.post(json.dumps(each.body), content_type=each.content_type) for each in captured]

    sent = [event["id"] for each in captured for event in each.body["events"]]
    assert {answer.status_code for answer in answers} == {202}
    assert [envelope.id for envelope in receive(broker, len(sent))] == sent


def test_an_event_that_cannot_be_understood_stops_nothing(notifier: Notifier, broker: Secret) -> None:
    bad = make_event("bad", target={"repository": "Not/A/Name"})

    answer = notifier.post_events(make_event("before"), bad, make_event("after"))

    assert answer.status_code == 202
    assert answer.json == {"events": 2, "quarantined": 1}
    assert [envelope.id for envelope in receive(broker, 2)] == ["before", "after"]
    [kept] = receive(broker, 1, NOTIFIER_QUARANTINE)
    event = load_data(RegistryNotificationQuarantined, kept.data)
    assert event.reason == "not a valid repository name: 'Not/A/Name'"
    assert json.loads(event.raw) == bad


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"events": "none"}', b"\xff"], ids=repr)
def test_a_body_that_is_no_envelope_is_quarantined_whole(notifier: Notifier, broker: Secret, body: bytes) -> None:
    answer = notifier.post(body)

    assert answer.status_code == 202
    assert answer.json == {"events": 0, "quarantined": 1}
    [kept] = receive(broker, 1, NOTIFIER_QUARANTINE)
    assert kept.data["raw"] == body.decode(errors="replace")


def test_any_body_is_answered_202_or_413(notifier: Notifier) -> None:
    """Anything else makes a registry repeat it, and keep all its later events back."""
    bodies = st.binary(max_size=200) | st.builds(json.dumps, odd_values() | st.builds(_envelope_of, odd_events()))

    @settings(max_examples=50, deadline=None, database=None)
    @given(body=bodies)
    @example(body=json.dumps({"events": [make_event(timestamp="9999-12-31T23:59:59-23:00")]}))
    @example(body="[" * 100_000)
    @example(body="9" * 10_000)
    @example(body=json.dumps({"events": [{}] * (MAX_EVENTS + 1)}))
    def send(body: bytes | str) -> None:
        assert notifier.post(body).status_code in (202, 413)

    send()


def _envelope_of(event: object) -> dict[str, object]:
    return {"events": [event]}


def test_the_same_nonsense_sent_twice_has_one_id(notifier: Notifier, broker: Secret) -> None:
    notifier.post(b"nonsense")
    notifier.post(b"nonsense")

    one, two = receive(broker, 2, NOTIFIER_QUARANTINE)
    assert one.id == two.id


def test_events_are_counted(notifier: Notifier) -> None:
    before = {outcome: notifier.count(outcome) for outcome in ("accepted", "quarantined")}

    notifier.post_events(make_event("1"), make_event("2"), {})

    assert notifier.count("accepted") == before["accepted"] + 2
    assert notifier.count("quarantined") == before["quarantined"] + 1


def test_a_quarantined_event_is_logged_with_its_reason(notifier: Notifier) -> None:
    with capture_logs() as lines:
        notifier.post_events(make_event(id=""))

    assert {"event": "event.quarantined", "reason": "the event has no id", "log_level": "warning"} in lines


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(f"Bearer {SECRET}", id="Bearer"),
        pytest.param(f"bearer {SECRET}", id="bearer"),
        pytest.param(f"Basic {b64encode(f'registry:{SECRET}'.encode()).decode()}", id="Basic"),
    ],
)
def test_the_secret_opens(notifier: Notifier, authorization: str) -> None:
    assert notifier.post('{"events": []}', authorization=authorization).status_code == 202


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"Bearer {SECRET}x", id="another secret"),
        pytest.param("Bearer \xff", id="not text"),
        pytest.param(SECRET, id="no scheme"),
        pytest.param("Basic ////", id="broken Basic"),
    ],
)
def test_anything_else_does_not(notifier: Notifier, authorization: str) -> None:
    answer = notifier.post('{"events": []}', authorization=authorization)

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portus"'


def test_a_wrong_secret_is_logged_with_what_to_change_and_without_the_secret(notifier: Notifier) -> None:
    with capture_logs() as lines:
        notifier.post('{"events": []}', authorization="Bearer what-the-registry-sent")

    [line] = [line for line in lines if line["event"] == "notifications.unauthorized"]
    assert "PORTUS_NOTIFICATIONS_SECRET" in line["hint"]
    assert "notifications.endpoints[].headers.Authorization" in line["hint"]
    assert SECRET not in str(lines)
    assert "what-the-registry-sent" not in str(lines)


def test_a_body_up_to_the_limit_is_taken(make_notifier: NotifierFactory, broker: Secret) -> None:
    notifier = make_notifier(broker, max_envelope_bytes=2_000)

    assert notifier.post(b'{"events": []}'.ljust(2_000)).status_code == 202


def test_a_longer_body_is_refused_and_logged(make_notifier: NotifierFactory, broker: Secret) -> None:
    notifier = make_notifier(broker, max_envelope_bytes=2_000)

    with capture_logs() as lines:
        answer = notifier.post(b'{"events": []}'.ljust(2_001))

    assert answer.status_code == 413
    assert "PORTUS_MAX_ENVELOPE_BYTES" in str(lines)


def test_an_envelope_with_too_many_events_is_refused(notifier: Notifier) -> None:
    answer = notifier.post_events(*[{}] * (MAX_EVENTS + 1))

    assert answer.status_code == 413
    assert "may hold 50000 events" in answer.text


def test_only_posting_is_allowed(notifier: Notifier) -> None:
    answer = notifier.client.get("/v2/webhooks/events", headers={"Authorization": f"Bearer {SECRET}"})

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
