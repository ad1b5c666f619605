"""Tokens that allow to change a repository: kept until they have expired, and then asked what came of them.

A token that allows a push, and no push: one may be lost. Of a token that only allows to delete nothing is expected; it
tells what a loss of events may be about.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.storage.loss_windows import open_window
from services.catalog.storage.push_grants import DueGrant, PushGrant, insert_grants, is_left_out, take_due_grants
from services.catalog.storage.tables import inbox
from shared.clock import Clock
from shared.contracts.events import Envelope, InvalidMessage, TokenPushGranted, load_data
from shared.contracts.words import load_word
from shared.database import Database
from shared.messaging.inbox import claim_new
from shared.oci.names import InvalidName, parse_repository_name

ARRIVES_WITHIN = timedelta(minutes=1)
"""A push at the last moment is heard of by so long after the token has expired."""
CLOCKS_DIFFER_BY = timedelta(seconds=5)
"""The token is stamped by ``auth``, the push by the registry."""
LONGEST_LIFE = timedelta(days=1)
"""Of a token; a longer one is asked about after this."""
BATCH_SIZE = 200

log = structlog.get_logger(__name__)


def note_push_grants(envelopes: Sequence[Envelope], *, database: Database, clock: Clock) -> int:
    """Keep grants, each once, and return how many were new.

    Raises:
        InvalidMessage: one of them is no grant; nothing is kept.
    """
    grants = {(envelope.source, envelope.id): _load(envelope) for envelope in envelopes}
    with database.write() as connection:
        claimed = claim_new(connection, inbox, envelopes, now=clock())
        fresh = [grants[envelope.source, envelope.id] for envelope in claimed]
        insert_grants(connection, fresh, due={grant: grant.expires_at + ARRIVES_WITHIN for grant in fresh})
    return len(fresh)


def settle_push_grants(*, registry: str, database: Database, clock: Clock) -> int:
    """Ask what came of grants that have expired; where nothing did, open a loss window. Return how many were asked.

    Args:
        registry: what people call it.
    """
    with database.write() as connection:
        now = clock()
        due = take_due_grants(connection, now=now, limit=BATCH_SIZE)
        silent = [
            one.grant
            for one in due
            if not _was_read_since(one)
            and (_misses_push(one) or is_left_out(connection, one.grant, reason=Reason.RESTART.value))
        ]
        if silent:
            suspicion = Suspicion(
                registry,
                Reason.SILENT_PUSH,
                min(grant.issued_at for grant in silent),
                max(grant.expires_at for grant in silent),
                frozenset(grant.repository for grant in silent),
            )
            window = open_window(connection, suspicion, now=now)
            log.info("losses.silent_pushes", window=window, repositories=len(suspicion.repositories or ()))
    return len(due)


def _was_read_since(one: DueGrant) -> bool:
    return one.crawled_at is not None and one.crawled_at >= one.grant.expires_at


def _misses_push(one: DueGrant) -> bool:
    was_pushed = one.pushed_at is not None and one.pushed_at >= one.grant.issued_at - CLOCKS_DIFFER_BY
    return one.grant.pushes and not was_pushed


def _load(envelope: Envelope) -> PushGrant:
    granted = load_data(TokenPushGranted, envelope.data)
    try:
        repository = parse_repository_name(load_word(granted.repository, "repository"))
    except InvalidName as fault:
        raise InvalidMessage(str(fault)) from fault
    issued_at, expires_at = _moment(granted.issued_at, "issued_at"), _moment(granted.expires_at, "expires_at")
    # Whatever is no clear "no" is watched.
    pushes = granted.pushes is not False
    return PushGrant(repository, issued_at, min(max(issued_at, expires_at), issued_at + LONGEST_LIFE), pushes)


def _moment(value: str, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(load_word(value, field))
        # Far enough from either end of the calendar to be added to.
        if moment.tzinfo is not None and 1970 <= moment.year <= 9000:
            return moment.astimezone(UTC)
    except ValueError:
        pass
    raise InvalidMessage(f"{field} is not a time of RFC 3339")
