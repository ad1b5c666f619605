"""Events that share a message: for a broker a message with twenty events is hardly dearer than one with one.

Whoever publishes for many callers at once bundles what they bring; consumers, and those who keep dead letters, take
a bundle apart again, so that each event is applied, tried again or buried by itself. One event goes without a bundle.

Source: CloudEvents 1.0, JSON format, "JSON Batch Format".
"""

import json
from collections.abc import Iterator, Sequence

from shared.contracts.events import InvalidMessage
from shared.messaging.confirms import Outgoing

CONTENT_TYPE = "application/cloudevents-batch+json"
MOST_EVENTS = 50
"""Of one bundle: it is given again as a whole when one of them has to be tried again."""
MOST_BYTES = 64 * 1024
"""Of one bundle; a larger event goes alone."""


def bundle(messages: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Sequence[Outgoing]]]:
    """Yield what is to be sent in place of some messages, in their order, each with those that it carries."""
    parts, size = list[Outgoing](), 0
    for message in messages:
        if parts and not (
            _go_together(parts[0], message) and len(parts) < MOST_EVENTS and size + len(message.body) <= MOST_BYTES
        ):
            yield _carry(parts), parts
            parts, size = [], 0
        parts.append(message)
        size += len(message.body)
    if parts:
        yield _carry(parts), parts


def unbundle(body: bytes) -> Sequence[object]:
    """Return the events that a message carries, as JSON's values.

    Raises:
        InvalidMessage: it carries none.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise InvalidMessage(f"not JSON: {fault}") from fault
    if value == []:
        raise InvalidMessage("a bundle without events")
    return value if isinstance(value, list) else [value]


def split(body: bytes) -> Sequence[bytes]:
    """Return a body for each event that a message carries; one that is no bundle is left as it is."""
    try:
        events = unbundle(body)
    except InvalidMessage:
        return [body]
    return [dump(event) for event in events] if len(events) > 1 else [body]


def dump(event: object) -> bytes:
    """Return the body of a message that carries one of the events of a bundle."""
    return json.dumps(event).encode()


def _go_together(one: Outgoing, other: Outgoing) -> bool:
    return (one.exchange, one.routing_key, one.mandatory) == (other.exchange, other.routing_key, other.mandatory)


def _carry(parts: Sequence[Outgoing]) -> Outgoing:
    if len(parts) == 1:
        return parts[0]
    first, body = parts[0], b"[" + b",".join(part.body for part in parts) + b"]"
    return Outgoing(first.exchange, first.routing_key, body, first.mandatory, content_type=CONTENT_TYPE)
