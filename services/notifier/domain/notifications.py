"""What a registry reports, read leniently: one event is understood, or it is kept whole with a reason.

A registry sends one event at a time and repeats it until it is taken, so an event that nobody
understands must not be refused: it would stop everything behind it.

Source: distribution "Notifications" (``docs/content/about/notifications.md``), and what registries
2.8 and 3.x really send: 3.x has empty strings where 2.8 leaves a field out.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.notifier.domain.texts import storable
from shared.oci.names import InvalidName, parse_digest, parse_repository_name, parse_tag

LONGEST_RAW_BYTES = 64 * 1024
"""What is kept of an event that cannot be understood."""

MAX_EVENTS = 50_000
"""Events of one envelope; a registry sends one."""

_LONGEST_ID = 255
_LONGEST_ACTION = 64
_LONGEST_TEXT = 255
_LONGEST_HOST = 200
_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Notification:
    """One event of a registry; every field after ``registry`` may be absent."""

    id: str
    occurred_at: datetime | None
    """By the registry's clock, aware UTC."""
    action: str
    """``push``, ``pull``, ``mount``, ``delete``, or one that is yet to come."""
    repository: str
    registry: str
    """``request.host``; may be empty."""
    instance_id: str | None = None
    digest: str | None = None
    tag: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    method: str | None = None
    user_agent: str | None = None
    address: str | None = None
    actor: str | None = None
    from_repository: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event, or a whole body, that cannot be understood."""

    reason: str
    raw: str
    """As received, cut at 64 KiB."""


class TooManyEvents(ValueError):
    """An envelope holds more events than any registry sends at once."""


class _NotUnderstood(ValueError):
    """Why an event cannot be understood."""


def read_envelope(body: bytes) -> list[Notification | Unreadable]:
    """Read the body of a notification request: its events, or the whole of it as unreadable.

    Raises:
        TooManyEvents: more than ``MAX_EVENTS``.
    """
    try:
        return [read_event(event) for event in _load_events(body)]
    except (_NotUnderstood, RecursionError) as fault:
        return [Unreadable(str(fault)[:_LONGEST_TEXT], _cut(body))]


def read_event(event: object) -> Notification | Unreadable:
    """Read one event."""
    try:
        return _read(event)
    except (_NotUnderstood, InvalidName) as fault:
        return Unreadable(str(fault), _cut(json.dumps(event).encode()))


def _load_events(body: bytes) -> list[object]:
    try:
        envelope = json.loads(body)
    except ValueError as fault:
        raise _NotUnderstood(f"the body is not JSON: {fault}") from fault
    events = envelope.get("events") if isinstance(envelope, Mapping) else None
    if not isinstance(events, list):
        raise _NotUnderstood("the body has no list 'events'")
    if len(events) > MAX_EVENTS:
        raise TooManyEvents(f"an envelope may hold {MAX_EVENTS} events, this one holds {len(events)}")
    return events


def _read(event: object) -> Notification:
    if not isinstance(event, Mapping):
        raise _NotUnderstood("the event is not an object")
    target, request = _section(event, "target"), _section(event, "request")
    repository = _name(target, "repository", parse_repository_name)
    if repository is None:
        raise _NotUnderstood("the event has no target.repository")
    return Notification(
        id=_required(event, "id", longest=_LONGEST_ID),
        occurred_at=_moment(event.get("timestamp")),
        action=_required(event, "action", longest=_LONGEST_ACTION),
        repository=repository,
        registry=_text(request, "host", longest=_LONGEST_HOST) or "",
        instance_id=_text(_section(event, "source"), "instanceID"),
        digest=_name(target, "digest", parse_digest),
        tag=_name(target, "tag", parse_tag),
        media_type=_text(target, "mediaType"),
        size_bytes=_size(target.get("size")),
        method=_text(request, "method"),
        user_agent=_text(request, "useragent"),
        address=_text(request, "addr"),
        actor=_text(_section(event, "actor"), "name"),
        from_repository=_name(target, "fromRepository", parse_repository_name),
    )


def _section(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = event.get(name)
    return section if isinstance(section, Mapping) else {}


def _required(event: Mapping[str, Any], name: str, *, longest: int) -> str:
    value = event.get(name)
    if value in (None, ""):
        raise _NotUnderstood(f"the event has no {name}")
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise _NotUnderstood(f"the event's {name} is not a printable text of at most {longest} characters")
    return value


def _name(section: Mapping[str, Any], name: str, parse: Callable[[str], str]) -> str | None:
    value = section.get(name)
    if value in (None, ""):
        return None
    if not isinstance(value, str):
        raise _NotUnderstood(f"the event's target.{name} is not a text")
    return parse(value)


def _text(section: Mapping[str, Any], name: str, *, longest: int = _LONGEST_TEXT) -> str | None:
    """Return what is for people to read, fit for every database and cut: a client may send anything here."""
    value = section.get(name)
    return storable(value)[:longest] or None if isinstance(value, str) else None


def _size(value: object) -> int | None:
    # 3.x says 0 where it knows none; a bool is an int to Python.
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_SIZE:
        return value
    return None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        # Overflow: a moment that no calendar has in UTC, like 9999-12-31T23:59:59-23:00.
        return None
    # Go's zero time is in the year 1 and means that nobody set it.
    return None if moment.year == 1 else moment


def _cut(raw: bytes) -> str:
    return storable(raw[:LONGEST_RAW_BYTES].decode("utf-8", "replace"))
