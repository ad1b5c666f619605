"""What a batch of notifications says of the registry's processes, beside what it says of images."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from services.catalog.domain.losses import Sighting, suspect_restart, suspects_of
from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.instances import list_suspects, note_sightings, supersede
from services.catalog.storage.loss_windows import open_window
from services.catalog.storage.push_grants import note_pushes
from shared.contracts.events import Envelope
from shared.contracts.words import find_word
from shared.oci.names import RepositoryName

log = structlog.get_logger(__name__)


def note_arrivals(connection: Connection, envelopes: Iterable[Envelope], *, now: datetime) -> None:
    """Count new notifications by process; an unknown process opens a loss window.

    Args:
        envelopes: notifications that were claimed in the inbox, so that each counts once.
    """
    sightings = _sightings(envelopes, now)
    for newcomer in note_sightings(connection, sightings):
        _suspect(connection, newcomer, now)


def note_pushes_of(connection: Connection, pushes: Iterable[Occurrence], *, now: datetime) -> None:
    """Note when repositories were pushed to, for whoever asks what came of a token."""
    latest: dict[RepositoryName, datetime] = {}
    for push in pushes:
        # A clock that is ahead must not vouch for pushes that are still to come.
        time = min(push.stamp.time, now)
        latest[push.repository] = max(latest.get(push.repository, time), time)
    note_pushes(connection, latest)


def _sightings(envelopes: Iterable[Envelope], now: datetime) -> Sequence[Sighting]:
    by_instance: dict[str, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        if instance := find_word(envelope.data.get("instance_id")):
            by_instance[instance].append(envelope)
    return [_sighting(instance, group, now) for instance, group in by_instance.items()]


def _sighting(instance: str, envelopes: Sequence[Envelope], now: datetime) -> Sighting:
    times = [min(envelope.time, now) for envelope in envelopes]
    registry = find_word(envelopes[0].data.get("registry")) or ""
    return Sighting(instance, registry, min(times), max(times), len(envelopes))


def _suspect(connection: Connection, newcomer: Sighting, now: datetime) -> None:
    suspects = suspects_of(newcomer, list_suspects(connection, now=now, besides=[newcomer.instance]), now=now)
    suspicion = suspect_restart(newcomer, suspects)
    supersede(connection, suspects, now=now)
    if suspicion:
        window = open_window(connection, suspicion, now=now)
        log.warning(
            "losses.suspected",
            window=window,
            reason=suspicion.reason.value,
            registry=suspicion.registry,
            instance=newcomer.instance,
            since=suspicion.since.isoformat(),
            until=suspicion.until.isoformat(),
        )
