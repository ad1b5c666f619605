"""Which events share a message, and how they are told apart again."""

import json

import pytest

from shared.contracts.events import InvalidMessage
from shared.messaging.bundles import CONTENT_TYPE, MOST_BYTES, MOST_EVENTS, bundle, split, unbundle
from shared.messaging.confirms import Outgoing


def make_message(
    number: int, *, key: str = "registry.notification.v1", mandatory: bool = True, size: int = 0
) -> Outgoing:
    body = json.dumps({"id": number, "text": "x" * size}).encode()
    return Outgoing("portus.events", key, body, mandatory)


def test_one_goes_as_it_is() -> None:
    message = make_message(1)

    assert list(bundle([message])) == [(message, [message])]


def test_several_share_a_message_in_their_order() -> None:
    messages = [make_message(number) for number in range(3)]

    [(carrier, parts)] = bundle(messages)

    assert list(parts) == messages
    assert json.loads(carrier.body) == [json.loads(message.body) for message in messages]
    assert (carrier.exchange, carrier.routing_key, carrier.mandatory) == (
        "portus.events",
        messages[0].routing_key,
        True,
    )
    assert (carrier.content_type, messages[0].content_type) == (CONTENT_TYPE, "application/cloudevents+json")


@pytest.mark.parametrize("other", [make_message(2, key="catalog.tag.pushed.v1"), make_message(2, mandatory=False)])
def test_what_goes_elsewhere_shares_none(other: Outgoing) -> None:
    messages = [make_message(1), other, make_message(3)]

    assert [list(parts) for _, parts in bundle(messages)] == [[message] for message in messages]


def test_a_bundle_has_no_more_than_so_many_events() -> None:
    messages = [make_message(number) for number in range(2 * MOST_EVENTS + 1)]

    assert [len(parts) for _, parts in bundle(messages)] == [MOST_EVENTS, MOST_EVENTS, 1]


def test_a_bundle_has_no_more_than_so_many_bytes() -> None:
    third = MOST_BYTES // 3
    messages = [*(make_message(number, size=third) for number in range(3)), make_message(3, size=MOST_BYTES)]

    assert [len(parts) for _, parts in bundle(messages)] == [2, 1, 1]


def test_nothing_is_nothing() -> None:
    assert not list(bundle([]))


def test_a_message_is_taken_apart() -> None:
    [(carrier, _)] = bundle([make_message(number) for number in range(3)])

    assert unbundle(carrier.body) == [json.loads(body) for body in split(carrier.body)]
    assert len(split(carrier.body)) == 3


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_carries_no_event_is_invalid_and_split_into_itself(body: bytes) -> None:
    with pytest.raises(InvalidMessage):
        unbundle(body)

    assert split(body) == [body]


@pytest.mark.parametrize("body", [b'{"id":  1}', b"[7]", b"null"])
def test_what_is_one_is_split_into_itself(body: bytes) -> None:
    assert split(body) == [body]
