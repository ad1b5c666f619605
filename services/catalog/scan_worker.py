"""The worker's tasks that look for vulnerabilities; there are none where no scanner is configured."""

from threading import Event
from uuid import uuid4

from services.catalog.app import new_scanner, new_scanner_authorization
from services.catalog.domain.scans import DEFAULT_SCANNER
from services.catalog.repeating import repeat
from services.catalog.settings import ScannerSettings, Settings
from services.catalog.usecases.plan_scans import ScanPlanner
from services.catalog.usecases.scan_manifests import ManifestScanner, ScanPlan, Turn
from shared.clock import utc_now
from shared.commands import Task
from shared.database import Database

SCAN_IDLE_S = 2.0
"""How often is looked for manifests to scan."""
SCAN_SWEEP_S = 0.5
"""How long after one part of all tags is looked at the next."""
LONGEST_SCAN_PAUSE_S = 60.0


def scan_tasks(settings: Settings, scanner: ScannerSettings, database: Database) -> dict[str, Task]:
    """Return a task for each scan at a time, and one that says what is to be scanned."""

    def scan(place: int) -> Task:
        return lambda stop: _scan(place, settings, scanner, database, stop)

    places = {f"scans-{place}": scan(place) for place in range(scanner.concurrency)}
    return {"scan-planning": lambda stop: _plan_scans(database, stop), **places}


def _plan_scans(database: Database, stop: Event) -> None:
    planner = ScanPlanner(DEFAULT_SCANNER, holder=uuid4().hex, database=database, clock=utc_now)

    def work() -> float:
        return SCAN_SWEEP_S if planner.plan() else SCAN_IDLE_S

    repeat(work, stop)


def _scan(place: int, settings: Settings, scanner: ScannerSettings, database: Database, stop: Event) -> None:
    plan = ScanPlan(DEFAULT_SCANNER, scanner.registry_url, scanner.time_limit, scanner.period)
    authorize = new_scanner_authorization(settings)
    scans = ManifestScanner(new_scanner(scanner), authorize, plan, stop=stop, database=database, clock=utc_now)
    holder, failures = uuid4().hex, 0

    def work() -> float:
        nonlocal failures
        turn = scans.scan_next(place, holder)
        failures = failures + 1 if turn is Turn.AWAY else 0
        if turn is Turn.AWAY:
            return min(SCAN_IDLE_S * 2.0 ** min(failures - 1, 10), LONGEST_SCAN_PAUSE_S)
        return 0 if turn is Turn.DONE else SCAN_IDLE_S

    repeat(work, stop)
