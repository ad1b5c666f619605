"""A report that says something new is told on, through the outbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from services.catalog.domain.scans import Report, Severity
from services.catalog.storage.scans import Claim, find_counts, list_tagged_repositories
from services.catalog.storage.tables import outbox
from services.catalog.usecases.apply_occurrences import SOURCE
from shared.contracts.events import ScanFinished, envelope_of
from shared.messaging.outbox import record_events


@contextmanager
def tell_report(connection: Connection, claim: Claim, report: Report, *, now: datetime) -> Iterator[None]:
    """Tell of a report that is kept within, unless the one before said the same."""
    before = find_counts(connection, claim)
    yield
    after = find_counts(connection, claim)
    if after is None or before == after:
        return
    numbers = {severity.value.lower(): report.counts.get(severity, 0) for severity in Severity}
    worst = report.severity.value if report.severity else None
    events = [
        ScanFinished(repository, claim.digest, claim.scanner, severity=worst, **numbers)
        for repository in list_tagged_repositories(connection, claim.digest)
    ]
    record_events(
        connection,
        outbox,
        [envelope_of(one, id=str(uuid4()), source=SOURCE, time=now, subject=one.repository) for one in events],
    )
