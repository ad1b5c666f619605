"""What is settled of a scan before anybody asks the scanner."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from services.catalog.domain.manifests import read_manifest
from services.catalog.domain.scanners import find_obstacle
from services.catalog.domain.scans import MAX_STUMBLES, ScanState, postpone_for, retry_after
from services.catalog.storage.scan_planning import drop_scans, is_wanted, wake_indexes
from services.catalog.storage.scans import Claim, Place, find_place, may_come, put_off
from services.catalog.usecases.combine_scans import combine_scans
from shared.oci.media_types import INDEXES

NOT_FETCHED_PAUSE = timedelta(seconds=10)

log = structlog.get_logger(__name__)


def prepare_scan(connection: Connection, claim: Claim, *, period: timedelta, now: datetime) -> Place | None:
    """Return where a manifest lies that is to be scanned; settle at once what needs no scanner.

    Args:
        period: after which everything is scanned anew.
    """
    place = _settle(connection, claim, period, now)
    if place is None:
        # The indexes that list it may have waited for just that.
        wake_indexes(connection, claim.scanner, claim.digest, now=now)
    return place


def _settle(connection: Connection, claim: Claim, period: timedelta, now: datetime) -> Place | None:
    if not is_wanted(connection, claim.scanner, claim.digest):
        drop_scans(connection, [claim.id], run=claim.run)
        return None
    if claim.is_orphan and claim.stumbles >= MAX_STUMBLES:
        reason = "Whoever scanned it came to an end over it."
        _fail(connection, claim, reason, period, now, stumbles=claim.stumbles)
        return None
    place = find_place(connection, claim.digest)
    if place is None or place.body is None:
        _put_off_unread(connection, claim, period, now)
        return None
    manifest = read_manifest(place.body, place.media_type)
    if manifest.media_type in INDEXES and manifest.readable:
        combine_scans(connection, claim, manifest, period=period, now=now)
    elif obstacle := find_obstacle(manifest):
        put_off(connection, claim, ScanState.UNSUPPORTED, obstacle, due_at=None, now=now)
    else:
        return place
    return None


def _put_off_unread(connection: Connection, claim: Claim, period: timedelta, now: datetime) -> None:
    if not may_come(connection, claim.digest):
        _fail(connection, claim, "The registry does not have the manifest.", period, now)
        return
    due_at = now + max(NOT_FETCHED_PAUSE, postpone_for(claim.tries))
    reason = "The manifest has not been read from the registry yet."
    put_off(connection, claim, ScanState.NONE, reason, due_at=due_at, now=now)


def _fail(
    connection: Connection, claim: Claim, reason: str, period: timedelta, now: datetime, *, stumbles: int = 0
) -> None:
    due_at = now + retry_after(claim.tries, period=period)
    put_off(connection, claim, ScanState.FAILED, reason, due_at=due_at, now=now, stumbles=stumbles)
    log.warning("scan.failed", digest=claim.digest, reason=reason, stumbles=stumbles)
