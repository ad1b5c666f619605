"""When events of a registry may have been lost, and how long ago.

A registry keeps its events in memory, sends one at a time, and forgets them all when it ends. Nobody
tells us of that, but three things give it away: a process that we have not heard of before speaks, it
says that it has sent more than came, or somebody was let push and nothing was pushed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.oci.names import RepositoryName

SUSPECTED_FOR = timedelta(hours=1)
"""So long after its successor spoke first a process may still be the next one to end: think of replicas."""


class Reason(StrEnum):
    """What gave the loss away."""

    RESTART = "restart"
    """A process of the registry that was not known has sent an event: another one may have ended."""
    GAP = "gap"
    """The registry has counted more deliveries than events arrived."""
    SILENT_PUSH = "silent_push"
    """A token that allows a push was issued, and no push was seen."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a batch of events says of one process of a registry."""

    instance: str
    """``source.instanceID``, new at every start."""
    registry: str
    """The registry as its client named it; may be empty."""
    first_event_at: datetime
    """By the registry's clock."""
    last_event_at: datetime
    events: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A process of a registry that we know."""

    id: str
    registry: str
    last_event_at: datetime
    superseded_at: datetime | None = None
    """When another process was heard for the first time since this one was heard last."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Events of a registry may have been lost."""

    registry: str
    reason: Reason
    since: datetime
    until: datetime
    repositories: frozenset[RepositoryName] | None = None
    """Which they may be about; ``None``: any."""
    missing: int = 0
    """How many there must be, where that is known."""


def suspects_of(newcomer: Sighting, known: Iterable[Instance], *, now: datetime) -> Sequence[Instance]:
    """Return the processes one of which may have ended when an unknown one speaks.

    Those that go by the same name; if there is none, the newcomer may be known by another name.
    """
    living = [one for one in known if one.superseded_at is None or now - one.superseded_at < SUSPECTED_FOR]
    return [one for one in living if one.registry == newcomer.registry] or living


def suspect_restart(newcomer: Sighting, suspects: Sequence[Instance]) -> Suspicion | None:
    """Return what may have been lost; nothing when the newcomer is the first of all."""
    if not suspects:
        return None
    # Events leave a process in order: what it had not sent yet is younger than what arrived last.
    since = min(one.last_event_at for one in suspects)
    until = max(newcomer.first_event_at, since)
    return Suspicion(newcomer.registry, Reason.RESTART, since, until)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events were delivered, by the registry's count and by ours, at one moment."""

    at: datetime
    sent: int
    """By the registry's processes together, since we began to count."""
    arrived: int


@dataclass(frozen=True, slots=True)
class Account:
    """The comparison so far."""

    settled: Counts
    """Up to here all that was sent has arrived, or its loss was noticed."""
    pending: Counts
    """A reading that is compared when there was time enough for everything to arrive."""


ARRIVES_WITHIN = timedelta(minutes=2)
"""What was sent before this is here by now, unless it waits in the spool or a queue."""


def balance(account: Account, reading: Counts) -> tuple[Account, int]:
    """Return the account after another reading, and how many events are missing."""
    due = account.pending
    if reading.at - due.at < ARRIVES_WITHIN:
        return account, 0
    sent, arrived = due.sent - account.settled.sent, reading.arrived - account.settled.arrived
    missing = max(0, sent - arrived)
    # What arrived beyond that was sent later, and is credited then; what is missing is told once.
    settled = replace(due, arrived=account.settled.arrived + min(sent, arrived))
    return Account(settled, reading), missing
