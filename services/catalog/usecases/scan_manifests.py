"""Scanning manifests: one at a time for each place, under a lease, by whichever worker is free.

What is not known is never said to be in order: a scan that fails, in whatever way, is not done.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Event
from time import monotonic
from uuid import uuid4

import structlog

from services.catalog.domain.scanners import ScannerMetadata
from services.catalog.domain.scans import MAX_STUMBLES, MadeBy, Report, ScanState, postpone_for, retry_after
from services.catalog.storage.leases import release_lease, take_lease
from services.catalog.storage.scan_planning import drop_scans, is_wanted, wake_indexes
from services.catalog.storage.scans import (
    Claim,
    Place,
    claim_scan,
    give_back,
    is_scan_due,
    keep_claim,
    put_off,
    save_report,
)
from services.catalog.usecases.prepare_scans import prepare_scan
from services.catalog.usecases.registry import RegistryError, RegistryRefused, RegistryUnavailable
from services.catalog.usecases.scanner import (
    Artifact,
    NewAuthorization,
    NotReady,
    NotScannable,
    ScanFailed,
    Scanner,
    ScannerUnavailable,
    ScanUnknown,
)
from services.catalog.usecases.tell_scans import tell_report
from shared.clock import Clock
from shared.database import DATABASE_AWAY, Database

LEASE_TTL = timedelta(minutes=5)
"""So long a worker may be silent before another takes what it does."""
MAX_SILENCES = 5
"""So often, one after the other, a scanner may not answer while it works."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """How is scanned.

    Args:
        scanner: the name under which the scanner is known here.
        registry_url: where the scanner finds the registry.
        time_limit: for one scan.
        period: after which everything is scanned anew.
    """

    scanner: str
    registry_url: str
    time_limit: timedelta
    period: timedelta


class Turn(StrEnum):
    """What came of looking for something to do."""

    IDLE = "idle"
    """There was nothing, or others do it."""
    DONE = "done"
    AWAY = "away"
    """Somebody who is needed is away: there is no sense in going on at once."""


class _Stopped(Exception):
    """The process ends."""


class _NotOurs(Exception):
    """Another worker has taken over, or nothing leads to the digest any more."""


class ManifestScanner:
    """Scans what is due, each in a call of its own; may be used by many threads at once.

    Args:
        authorize: makes what the scanner pulls with.
        stop: set when the process ends.
    """

    def __init__(
        self,
        scanner: Scanner,
        authorize: NewAuthorization,
        plan: ScanPlan,
        *,
        stop: Event,
        database: Database,
        clock: Clock,
    ) -> None:
        self._scanner = scanner
        self._authorize = authorize
        self._plan = plan
        self._stop = stop
        self._database = database
        self._clock = clock

    def scan_next(self, place: int, holder: str) -> Turn:
        """Scan what is due next, unless another worker has our place.

        Args:
            place: a number below that of the scans at a time.
            holder: who we are.
        """
        lease, now = f"scans-{place}", self._clock()
        with self._database.read() as connection:
            # Most of the time there is nothing, and nobody is to wait for us to find that out.
            if not is_scan_due(connection, self._plan.scanner, now=now):
                return Turn.IDLE
        with self._database.write() as connection:
            if not take_lease(connection, lease, holder, now=now, ttl=LEASE_TTL):
                return Turn.IDLE
            claim = claim_scan(connection, self._plan.scanner, run=uuid4().hex, now=now, until=now + LEASE_TTL)
            found = prepare_scan(connection, claim, period=self._plan.period, now=now) if claim else None
        try:
            if claim is None:
                return Turn.IDLE
            return self._scan(claim, found, lease, holder) if found else Turn.DONE
        finally:
            with self._database.write() as connection:
                release_lease(connection, lease, holder)

    def _scan(self, claim: Claim, place: Place, lease: str, holder: str) -> Turn:
        log.info("scan.started", repository=place.repository, digest=claim.digest)
        try:
            return self._try(claim, place, lease, holder)
        except DATABASE_AWAY:
            raise
        except Exception:
            # What strangers have written may break anything; one report must not end the scans of all others.
            log.exception("scan.broken", digest=claim.digest)
            pause = retry_after(claim.tries, period=self._plan.period)
            self._put_off(claim, ScanState.FAILED, "The scan broke off: see the log of the worker.", pause)
        return Turn.DONE

    def _try(self, claim: Claim, place: Place, lease: str, holder: str) -> Turn:
        try:
            metadata = self._get_metadata()
        except ScannerUnavailable as fault:
            return self._wait_for(claim, fault)
        try:
            report = self._ask(claim, place, metadata, lease, holder)
        except ScannerUnavailable as fault:
            return self._stumble(claim, fault)
        except (RegistryUnavailable, RegistryRefused) as fault:
            return self._wait_for(claim, fault)
        except NotScannable as fault:
            self._put_off(claim, ScanState.UNSUPPORTED, str(fault), None)
        except (ScanFailed, RegistryError) as fault:
            pause = retry_after(claim.tries, period=self._plan.period)
            self._put_off(claim, ScanState.FAILED, str(fault), pause)
        except _Stopped:
            with self._database.write() as connection:
                give_back(connection, claim, now=self._clock())
        except _NotOurs:
            log.info("scan.left", digest=claim.digest)
        else:
            self._save(claim, report, metadata.made_by)
        return Turn.DONE

    def _wait_for(self, claim: Claim, fault: Exception, *, stumbles: int | None = None) -> Turn:
        # Who has seen a report before is told that there is no newer one; nobody else is told of a failure.
        state = ScanState.FAILED if claim.has_report else ScanState.NONE
        counted = claim.stumbles if stumbles is None else stumbles
        self._put_off(claim, state, str(fault), postpone_for(claim.tries), counted)
        return Turn.AWAY

    def _stumble(self, claim: Claim, fault: ScannerUnavailable) -> Turn:
        """Put off what a scanner does not answer for that has answered before."""
        stumbles = claim.stumbles + 1
        if stumbles < MAX_STUMBLES:
            return self._wait_for(claim, fault, stumbles=stumbles)
        pause = retry_after(claim.tries, period=self._plan.period)
        self._put_off(claim, ScanState.FAILED, str(fault), pause, stumbles)
        return Turn.AWAY

    def _get_metadata(self) -> ScannerMetadata:
        metadata = self._scanner.get_metadata()
        if not metadata.is_understood:
            raise ScannerUnavailable("The scanner makes no report that Portus can read.")
        return metadata

    def _ask(self, claim: Claim, place: Place, metadata: ScannerMetadata, lease: str, holder: str) -> Report:
        """Have a manifest scanned, and wait for the report."""
        media_type = place.media_type or ""
        report_type = metadata.find_report_type(media_type)
        if report_type is None:
            raise NotScannable(f"The scanner does not read {media_type}.")
        deadline, silences, begun = monotonic() + self._plan.time_limit.total_seconds(), 0, 0
        scan, pause_s = None, 0.0
        while True:
            self._wait(claim, lease, holder, min(pause_s, deadline - monotonic()))
            if monotonic() >= deadline:
                raise ScanFailed(f"There was no report within {self._plan.time_limit.total_seconds():.0f} s.")
            try:
                if scan is None:
                    begun += 1
                    scan = self._scanner.begin_scan(self._artifact(claim, place, media_type), report_type)
                answer = self._scanner.find_report(scan, report_type)
            except ScanUnknown:
                # It was restarted; twice in one scan is no accident.
                if begun > 1:
                    raise
                scan, answer = None, NotReady(1.0)
            except ScannerUnavailable:
                silences += 1
                if scan is None or silences >= MAX_SILENCES:
                    raise
                pause_s = float(2**silences)
                continue
            silences = 0
            if isinstance(answer, Report):
                return answer
            pause_s = max(answer.ask_after_s, 0.1)

    def _artifact(self, claim: Claim, place: Place, media_type: str) -> Artifact:
        # As fresh as can be: the scanner may pull with it until it ends.
        authorization = self._authorize(place.repository)
        return Artifact(self._plan.registry_url, authorization, place.repository, claim.digest, media_type)

    def _wait(self, claim: Claim, lease: str, holder: str, seconds: float) -> None:
        """Wait, and tell others that we are still at it.

        Raises:
            _Stopped, _NotOurs: we are to stop.
        """
        if self._stop.wait(max(0.0, seconds)):
            raise _Stopped
        now = self._clock()
        with self._database.write() as connection:
            held = take_lease(connection, lease, holder, now=now, ttl=LEASE_TTL)
            if not held or not keep_claim(connection, claim, until=now + LEASE_TTL):
                raise _NotOurs

    def _put_off(self, claim: Claim, state: ScanState, reason: str, pause: timedelta | None, stumbles: int = 0) -> None:
        now = self._clock()
        with self._database.write() as connection:
            due_at = now + pause if pause is not None else None
            if put_off(connection, claim, state, reason, due_at=due_at, now=now, stumbles=stumbles):
                wake_indexes(connection, claim.scanner, claim.digest, now=now)
        log.warning("scan.put_off", digest=claim.digest, state=state.value, reason=reason)

    def _save(self, claim: Claim, report: Report, made_by: MadeBy) -> None:
        now = self._clock()
        with self._database.write() as connection:
            # Its tags may have moved or gone since it was asked for.
            if not is_wanted(connection, claim.scanner, claim.digest):
                drop_scans(connection, [claim.id], run=claim.run)
                return
            with tell_report(connection, claim, report, now=now):
                due_at = now + self._plan.period
                if not save_report(connection, claim, report, made_by, reported_at=now, due_at=due_at, now=now):
                    return
            wake_indexes(connection, claim.scanner, claim.digest, now=now)
        log.info("scan.done", digest=claim.digest, findings=sum(report.counts.values()))
