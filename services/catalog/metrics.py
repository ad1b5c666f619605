"""What is measured when somebody asks: the worker, another process, is the one who changes it."""

from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from services.catalog.domain.drift import Kind
from services.catalog.domain.losses import Reason
from services.catalog.domain.scans import DEFAULT_SCANNER, ScanState
from services.catalog.storage.begun_deletions import count_begun
from services.catalog.storage.drift import count_open_drift
from services.catalog.storage.loss_queries import count_open, summarize_open
from services.catalog.storage.rounds import count_unread, find_oldest_look
from services.catalog.storage.scan_queries import count_by_state, count_due
from shared.clock import Clock
from shared.database import Database

LOSS_WINDOWS = Gauge(
    "portus_catalog_loss_windows_open",
    "Times in which events may have been lost, and that are not made up for.",
    ["reason"],
    multiprocess_mode="livemostrecent",
)
LOSS_AGE = Gauge(
    "portus_catalog_possible_loss_seconds",
    "Age of the oldest event that may be missing in the index; 0 when none is.",
    ["index"],
    multiprocess_mode="livemostrecent",
)
"""Has a label, because only metrics with labels make their values at first use; see ``shared.api.serving.serve``."""
DRIFT = Gauge(
    "portus_catalog_drift_open",
    "Differences between the index and the registry that are there still, by kind.",
    ["kind"],
    multiprocess_mode="livemostrecent",
)
UNREAD = Gauge(
    "portus_catalog_repositories_unread",
    "Repositories every tag of which was to be looked at last time, and that the registry could not read.",
    ["index"],
    multiprocess_mode="livemostrecent",
)
LOOK_AGE = Gauge(
    "portus_catalog_oldest_look_seconds",
    "How long no full look was had at the repository whose turn was longest ago; 0 when there is none.",
    ["index"],
    multiprocess_mode="livemostrecent",
)

DELETIONS = Gauge(
    "portus_catalog_deletions_unfinished",
    "Deletions of a tag by a throw-away manifest that have begun; one that stays broke off, and cannot be finished.",
    ["index"],
    multiprocess_mode="livemostrecent",
)

SCANS = Gauge(
    "portus_catalog_scans",
    "Digests by how far their scan is: none, working, done, failed, unsupported.",
    ["state"],
    multiprocess_mode="livemostrecent",
)
SCANS_DUE = Gauge(
    "portus_catalog_scans_due",
    "Scans that wait for the scanner.",
    ["scanner"],
    multiprocess_mode="livemostrecent",
)


def measure_scans(database: Database, clock: Clock) -> None:
    """Set the gauges; ``NaN`` says that the database did not answer."""
    try:
        with database.read() as connection:
            counts: dict[str, float] = {**count_by_state(connection)}
            due: float = count_due(connection, now=clock())
    except SQLAlchemyError:
        counts, due = dict.fromkeys(ScanState, float("nan")), float("nan")
    for state in ScanState:
        SCANS.labels(state.value).set(counts.get(state.value, 0))
    SCANS_DUE.labels(DEFAULT_SCANNER).set(due)


def measure_drift(database: Database, clock: Clock) -> None:
    """Set the gauges; ``NaN`` says that the database did not answer."""
    try:
        with database.read() as connection:
            counts: dict[str, float] = {**count_open_drift(connection)}
            unread: float = count_unread(connection)
            looked_at = find_oldest_look(connection)
        age_s = (clock() - looked_at).total_seconds() if looked_at else 0.0
    except SQLAlchemyError:
        counts, unread, age_s = dict.fromkeys(Kind, float("nan")), float("nan"), float("nan")
    for kind in Kind:
        DRIFT.labels(kind.value).set(counts.get(kind.value, 0))
    UNREAD.labels("catalog").set(unread)
    LOOK_AGE.labels("catalog").set(age_s)


def measure_deletions(database: Database) -> None:
    """Set the gauge; ``NaN`` says that the database did not answer."""
    try:
        with database.read() as connection:
            unfinished: float = count_begun(connection)
    except SQLAlchemyError:
        unfinished = float("nan")
    DELETIONS.labels("catalog").set(unfinished)


def measure_losses(database: Database, clock: Clock) -> None:
    """Set the gauges; ``NaN`` says that the database did not answer."""
    try:
        with database.read() as connection:
            counts: dict[str, float] = {**count_open(connection)}
            since = summarize_open(connection).since
        age_s = (clock() - since).total_seconds() if since else 0.0
    except SQLAlchemyError:
        counts, age_s = dict.fromkeys(Reason, float("nan")), float("nan")
    for reason in Reason:
        LOSS_WINDOWS.labels(reason.value).set(counts.get(reason.value, 0))
    LOSS_AGE.labels("catalog").set(age_s)
