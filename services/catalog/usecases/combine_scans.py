"""The result of an index is that of the images that it lists, taken together."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from services.catalog.domain.manifests import Descriptor, Manifest
from services.catalog.domain.scans import MadeBy, ScanState, combine_states, make_report
from services.catalog.storage.scan_planning import enlist
from services.catalog.storage.scans import (
    Claim,
    PartScan,
    list_findings_of,
    list_held,
    list_part_scans,
    put_off,
    save_report,
)
from services.catalog.usecases.tell_scans import tell_report
from shared.oci.names import Digest

LOOK_AGAIN = timedelta(minutes=30)
"""An index is woken when something is new of an image in it; this is for those that did not lie in the registry."""


def combine_scans(
    connection: Connection, claim: Claim, manifest: Manifest, *, period: timedelta, now: datetime
) -> None:
    """Settle the scan of an index by what is known of its images, and have those scanned that were not yet.

    Args:
        period: after which everything is looked at anew.
    """
    # What is listed twice counts with its platform.
    listed = sorted(manifest.children, key=lambda one: one.platform is not None)
    images = {one.digest: one for one in listed if one.may_run}
    # Some copy an index for the sake of one platform: what lies nowhere can run nowhere, nor does it ever come.
    held = list_held(connection, images.keys())
    enlist(connection, claim.scanner, [(digest, now) for digest in held])
    parts = list_part_scans(connection, claim.scanner, held)
    state = combine_states(part.state for part in parts)
    if state is ScanState.DONE:
        _save(connection, claim, parts, _left_out(parts, images), period=period, now=now)
        return
    reason = "None of its images can be scanned." if state is ScanState.UNSUPPORTED else _reason(parts, images)
    pause = LOOK_AGAIN if state is not ScanState.UNSUPPORTED else period
    put_off(connection, claim, state, reason, due_at=now + pause, now=now)


def _save(
    connection: Connection,
    claim: Claim,
    parts: Sequence[PartScan],
    left_out: str | None,
    *,
    period: timedelta,
    now: datetime,
) -> None:
    done = [part for part in parts if part.state is ScanState.DONE]
    report = make_report(list_findings_of(connection, [part.id for part in done]))
    # It is as old as the oldest of them.
    oldest = min(done, key=lambda part: part.reported_at or now)
    made_by, reported_at = oldest.made_by or MadeBy(claim.scanner), oldest.reported_at or now
    with tell_report(connection, claim, report, now=now):
        times = {"reported_at": reported_at, "due_at": now + period, "now": now}
        save_report(connection, claim, report, made_by, reason=left_out, **times)


def _reason(parts: Sequence[PartScan], images: Mapping[Digest, Descriptor]) -> str | None:
    for part in parts:
        if part.reason and part.state is not ScanState.UNSUPPORTED:
            return f"{_name(images[part.digest])}: {part.reason}"
    return None


def _left_out(parts: Sequence[PartScan], images: Mapping[Digest, Descriptor]) -> str | None:
    """Return what a result says nothing about although somebody may run it, and why."""
    for part in parts:
        if part.state is ScanState.UNSUPPORTED and images[part.digest].platform:
            return f"{_name(images[part.digest])} was not scanned: {part.reason}"
        if part.state is ScanState.DONE and part.reason:
            return part.reason
    return None


def _name(image: Descriptor) -> str:
    platform = image.platform
    return f"{platform.os}/{platform.architecture}" if platform else image.digest
