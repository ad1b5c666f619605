"""Accept what a registry reports: durable before it is answered, whatever it holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import ClassVar

from services.notifier.domain.notifications import Notification, Unreadable, read_envelope
from shared.clock import Clock
from shared.contracts.events import (
    Envelope,
    RegistryNotification,
    RegistryNotificationQuarantined,
    envelope_of,
)

StoreEvents = Callable[[Sequence[Envelope]], None]
"""Returns when every event is durable.

Raises:
    NothingStored: some are not.
"""


class NothingStored(Exception):
    """Neither the broker nor the spool takes events; the registry must keep them and try again."""

    headers: ClassVar = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an envelope held."""

    events: int
    quarantined: tuple[str, ...]
    """Why, for each event that could not be understood."""


def accept_envelope(body: bytes, *, store: StoreEvents, clock: Clock) -> Accepted:
    """Store every event of an envelope; one that cannot be understood is quarantined whole.

    Args:
        body: of the request, as received.

    Raises:
        NothingStored: an event is not durable; the whole envelope must be sent again.
        TooManyEvents: nothing has been stored.
    """
    readings = read_envelope(body)
    store([_envelope(reading, clock) for reading in readings])
    reasons = tuple(reading.reason for reading in readings if isinstance(reading, Unreadable))
    return Accepted(len(readings) - len(reasons), reasons)


_SENT = tuple(field.name for field in fields(RegistryNotification))
"""A notification has these fields, too."""


def _envelope(reading: Notification | Unreadable, clock: Clock) -> Envelope:
    if isinstance(reading, Unreadable):
        return _quarantined(reading, clock)
    return envelope_of(
        RegistryNotification(**{name: getattr(reading, name) for name in _SENT}),
        id=reading.id,
        source=f"registry/{reading.registry or 'unknown'}",
        time=reading.occurred_at or clock(),
        subject=reading.repository,
    )


def _quarantined(unreadable: Unreadable, clock: Clock) -> Envelope:
    event = RegistryNotificationQuarantined(reason=unreadable.reason, raw=unreadable.raw)
    # The same bytes sent again, because our answer came too late, are the same event.
    id_ = sha256(unreadable.raw.encode()).hexdigest()
    return envelope_of(event, id=id_, source="registry/unknown", time=clock())
