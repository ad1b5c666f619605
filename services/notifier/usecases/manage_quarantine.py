"""What administrators do with quarantined events: look, have them read again, throw them away.

QuarantinedEventNotFound   there is no such event, or it is gone
StillUnreadable            this version does not understand the event either
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from services.notifier.domain.notifications import Unreadable, read_envelope
from services.notifier.storage.quarantine import (
    Filters,
    QuarantinedRow,
    WholeQuarantinedEvent,
    count_quarantined,
    delete_quarantined,
    drop_quarantined,
    find_quarantined,
    list_quarantined,
    take_quarantined,
)
from services.notifier.usecases.accept_envelope import StoreEvents, accept_envelope
from services.notifier.usecases.expectations import CountDiffers
from services.notifier.usecases.log_acts import log_act
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.contracts.events import QuarantineDropped, QuarantineReplayed
from shared.database import Database
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_administrator, require_overseer

MAX_READ_AGAIN = 1000
"""Events that one call reads again."""


class QuarantinedEventNotFound(Exception):
    """There is no such event, or it is gone."""

    def __init__(self) -> None:
        super().__init__("There is no such quarantined event. It may have been replayed or dropped.")


class StillUnreadable(Exception):
    """This version does not understand the event either.

    Args:
        reason: what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The event is still not understood: {reason}.")


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """What came of reading events again."""

    count: int
    """How many were read, or would be."""
    replayed: int
    """How many of them were understood, and went the way of all events."""


def list_quarantined_events(
    visibility: Visibility, asked: ListRequest, *, database: Database
) -> Page[QuarantinedRow] | Slice[QuarantinedRow]:
    """Return a part of the events.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
    """
    require_overseer(visibility)
    with database.read() as connection:
        return list_quarantined(connection, asked)


def get_quarantined_event(visibility: Visibility, event: int, *, database: Database) -> WholeQuarantinedEvent:
    """Return one event as it was received.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
        QuarantinedEventNotFound: see above.
    """
    require_overseer(visibility)
    with database.read() as connection:
        found = find_quarantined(connection, event)
    if found is None:
        raise QuarantinedEventNotFound
    return found


def replay_quarantined_event(
    visibility: Visibility, event: int, *, store: StoreEvents, database: Database, clock: Clock
) -> None:
    """Read an event again; when it is understood now, it goes the way of all events.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
        QuarantinedEventNotFound, StillUnreadable: see above.
        NothingStored: it cannot be stored now; it stays.
    """
    require_administrator(visibility)
    found = get_quarantined_event(visibility, event, database=database)
    if fault := _read_again(found, store, clock):
        raise StillUnreadable(fault)
    _forget(visibility, [found.id], database=database, clock=clock)


def replay_quarantined_events(
    visibility: Visibility,
    filters: Filters,
    *,
    expect: int | None,
    store: StoreEvents,
    database: Database,
    clock: Clock,
) -> ReadAgain:
    """Read events again, the oldest ``MAX_READ_AGAIN`` at the most; those that are not understood stay.

    Args:
        expect: how many the filters should be about; ``None``: they are only counted.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
        CountDiffers: nothing has been done.
        NothingStored: one cannot be stored now; it stays, with those behind it.
    """
    require_administrator(visibility)
    with database.read() as connection:
        count = count_quarantined(connection, filters)
        if expect is None:
            return ReadAgain(count, 0)
        _check(expect, count)
        found = take_quarantined(connection, filters, limit=MAX_READ_AGAIN)
    understood = list[int]()
    try:
        for event in found:
            if _read_again(event, store, clock) is None:
                understood.append(event.id)
    finally:
        _forget(visibility, understood, database=database, clock=clock)
    return ReadAgain(len(found), len(understood))


def drop_quarantined_event(visibility: Visibility, event: int, *, database: Database, clock: Clock) -> None:
    """Throw one event away.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
        QuarantinedEventNotFound: see above.
    """
    actor = require_administrator(visibility).username
    with database.write() as connection:
        if not delete_quarantined(connection, [event]):
            raise QuarantinedEventNotFound
        log_act(connection, QuarantineDropped(actor, 1), clock=clock)


def drop_quarantined_events(
    visibility: Visibility, filters: Filters, *, expect: int | None, database: Database, clock: Clock
) -> int:
    """Throw events away, and return how many that are.

    Args:
        expect: how many that should be; ``None``: they are only counted.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator.
        CountDiffers: nothing has been changed.
    """
    actor = require_administrator(visibility).username
    if expect is None:
        with database.read() as connection:
            return count_quarantined(connection, filters)
    with database.write() as connection:
        dropped = drop_quarantined(connection, filters)
        _check(expect, dropped)
        if dropped:
            log_act(connection, QuarantineDropped(actor, dropped), clock=clock)
    return dropped


def _read_again(event: WholeQuarantinedEvent, store: StoreEvents, clock: Clock) -> str | None:
    """Send an event the way of all events; return why not, when it is still not understood."""
    body = _as_envelope(event.raw)
    readings = read_envelope(body)
    for reading in readings:
        if isinstance(reading, Unreadable):
            return reading.reason
    accept_envelope(body, store=store, clock=clock)
    return None


def _as_envelope(raw: str) -> bytes:
    """Return what was kept, an event or a whole body, as the body of a request."""
    try:
        kept = json.loads(raw)
    except (ValueError, RecursionError):
        return raw.encode()
    is_envelope = isinstance(kept, dict) and "events" in kept
    return raw.encode() if is_envelope else json.dumps({"events": [kept]}).encode()


def _forget(visibility: Visibility, ids: Sequence[int], *, database: Database, clock: Clock) -> None:
    # A crash before this sends them again the next time, under the same ids.
    if not ids:
        return
    actor = require_administrator(visibility).username
    with database.write() as connection:
        delete_quarantined(connection, ids)
        log_act(connection, QuarantineReplayed(actor, len(ids)), clock=clock)


def _check(expected: int, found: int) -> None:
    if expected != found:
        raise CountDiffers(expected, found)
