"""What services tell becomes the event log, each event once, and what webhooks are told of it is planned."""

from collections.abc import Sequence
from datetime import timedelta

from services.notifier.storage.event_log import LogEntry, append_events, purge_events
from services.notifier.usecases.plan_deliveries import plan_deliveries
from shared.clock import Clock
from shared.contracts.events import Envelope, InvalidMessage, TokenPushGranted
from shared.contracts.words import find_word, load_word
from shared.database import Database
from shared.oci.names import InvalidName, RepositoryName, parse_repository_name, split_namespace

NOT_LOGGED = frozenset({TokenPushGranted.TYPE})
"""Bookkeeping between services, with one message for every few pushes."""

PURGE_BATCH = 10_000

_ABOUT_REPOSITORIES = ("registry.", "catalog.")
"""What these types say about a repository concerns everybody who may pull from it."""


def record_events(envelopes: Sequence[Envelope], *, database: Database, clock: Clock) -> int:
    """Append events to the log, with what follows for webhooks, in one transaction; return how many were new.

    Raises:
        InvalidMessage: one of them cannot stand in the log; nothing is appended.
    """
    entries = [load_entry(envelope) for envelope in envelopes if envelope.type not in NOT_LOGGED]
    with database.write() as connection:
        appended, now = append_events(connection, entries, now=clock()), clock()
        plan_deliveries(connection, appended, now=now)
    return len(appended)


def load_entry(envelope: Envelope) -> LogEntry:
    """Read a message as an entry of the log.

    Raises:
        InvalidMessage: an attribute is longer than a column, or is no text that a database takes.
    """
    repository = _repository(envelope)
    return LogEntry(
        source=load_word(envelope.source, "source"),
        id=load_word(envelope.id, "id"),
        type=load_word(envelope.type, "type"),
        time=envelope.time,
        subject=find_word(envelope.subject),
        repository=repository,
        namespace=split_namespace(repository).namespace if repository else _namespace(envelope),
        data=dict(envelope.data),
    )


def purge_log(*, database: Database, clock: Clock, keep_for: timedelta, keep: int) -> int:
    """Drop a bounded number of events that are too old or too many; return how many."""
    with database.write() as connection:
        return purge_events(connection, before=clock() - keep_for, keep=keep, limit=PURGE_BATCH)


def _repository(envelope: Envelope) -> RepositoryName | None:
    name = envelope.data.get("repository")
    if not envelope.type.startswith(_ABOUT_REPOSITORIES) or name is None:
        return None
    try:
        return parse_repository_name(load_word(name, "repository"))
    except InvalidName as fault:
        raise InvalidMessage(str(fault)) from fault


def _namespace(envelope: Envelope) -> str | None:
    is_namespace = envelope.type.startswith("auth.namespace.")
    name = envelope.data.get("name" if is_namespace else "namespace")
    return find_word(name)
