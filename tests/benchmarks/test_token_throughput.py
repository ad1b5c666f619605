"""How many tokens a second, beside the floor: the same request parsed and the same token signed.

On PostgreSQL, all routes in one server and one run, in a world of ten of everything and in one of
10 000 people, 2 000 teams, 5 000 namespaces and 20 000 grants. What lies between a route and the
floor is what knowing costs: the credential, the read of the database, the decision, the record.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from shared.database import Database
from tests.support.auth import SERVICE, SERVICE_ACCOUNT_SECRET, basic
from tests.support.bulk_worlds import LARGE, REPOSITORY, SMALL, Jane, Size, fill
from tests.support.load import Measured, Target, measure
from tests.support.ports import free_port
from tests.support.postgresql import create_database, drop_database
from tests.support.processes import Process, descendants
from tests.support.shared_servers import shared_server
from tests.support.token_server import FLOOR
from tests.support.waiting import wait_until

JANE = ("jane", "password of jane")
ROUNDS = 3
ROUND_S = 2.5
CLIENT_PROCESSES = 2
CONNECTIONS = (8, 32)
SERVER_PROCESSES, SERVER_THREADS = 2, 4
WORLDS: Mapping[str, Size] = {"small": SMALL, "large": LARGE}


@dataclass(frozen=True)
class Served:
    """A running server on a filled database."""

    port: int
    process: Process
    jane: Jane

    def targets(self) -> dict[str, Target]:
        query = urlencode({"service": SERVICE, "scope": f"repository:{REPOSITORY}:pull,push"})
        password, token = basic(*JANE), basic(JANE[0], self.jane.application_token)
        return {
            "floor": Target(self.port, f"{FLOOR}?{query}", password),
            "password": Target(self.port, f"/v2/token?{query}", password),
            "token": Target(self.port, f"/v2/token?{query}", token),
        }

    def resident_mib(self) -> list[int]:
        """Return the resident memory of each worker."""
        workers = [pid for pid, _line in descendants(self.process.pid)]
        return sorted(_resident_kib(pid) // 1024 for pid in workers)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[dict[str, Served]]:
    with _served(tmp_path / "small", SMALL) as small, _served(tmp_path / "large", LARGE) as large:
        yield {"small": small, "large": large}


@contextmanager
def _served(folder: Path, size: Size) -> Iterator[Served]:
    folder.mkdir()
    maintenance_url = shared_server("postgresql")["url"]
    url = create_database(maintenance_url)
    environment = _environment(folder, url)
    for command in ("init-ca", "migrate", "ensure-admin"):
        subprocess.run(
            [sys.executable, "-m", "services.auth", command], env=environment, check=True, capture_output=True
        )
    database = Database(url)
    jane = fill(database, size, username=JANE[0])
    database.dispose()
    server = Process([sys.executable, "-m", "tests.support.token_server"], log=folder / "log", env=environment)
    port = int(environment["PORTUS_AUTH_PORT"])
    try:
        wait_until(lambda: _is_ready(port), what="auth is ready")
        yield Served(port, server, jane)
    finally:
        server.stop()
        drop_database(maintenance_url, url)


def _environment(folder: Path, url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTUS_")}
    return {
        **inherited,
        "PORTUS_DATA_DIR": str(folder),
        "PORTUS_AUTH_DATABASE_URL": url,
        "PORTUS_AUTH_PORT": str(free_port()),
        "PORTUS_WORKERS": str(SERVER_PROCESSES),
        "PORTUS_THREADS": str(SERVER_THREADS),
        "PORTUS_INTERNAL_SECRET": "internal-secret-of-the-benchmark",
        "PORTUS_SERVICE_ACCOUNT_SECRET": SERVICE_ACCOUNT_SECRET,
        "PORTUS_ADMIN_USERNAME": JANE[0],
        "PORTUS_ADMIN_PASSWORD": JANE[1],
    }


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_tokens_per_second(worlds: dict[str, Served], show_figures: Callable[[str], None]) -> None:
    """Prints rates, latencies and ratios; asserts only that every answer was 200."""
    show_figures(f"PostgreSQL, gunicorn {SERVER_PROCESSES} x {SERVER_THREADS}, {ROUNDS} rounds in turns")
    for connections in CONNECTIONS:
        measured = _measure_all(worlds, connections)
        show_figures(f"{connections} connections")
        for world, found in measured.items():
            for name, one in found.items():
                show_figures(_line(f"  {world} world, {name}", one, found["floor"]))
        for name in ("password", "token"):
            ratio = measured["large"][name].rate / measured["small"][name].rate
            show_figures(f"  {name}: large world / small world {ratio:.2f}")
    for world, served in worlds.items():
        show_figures(f"resident memory per process, {world} world: {served.resident_mib()} MiB")


def _measure_all(worlds: dict[str, Served], connections: int) -> dict[str, dict[str, Measured]]:
    found: dict[str, dict[str, Measured]] = {world: {} for world in worlds}
    # In turns, so that a neighbour's noise falls on all.
    for _ in range(ROUNDS):
        for world, served in worlds.items():
            for name, target in served.targets().items():
                one = measure(
                    target,
                    duration_s=ROUND_S,
                    processes=CLIENT_PROCESSES,
                    threads=connections // CLIENT_PROCESSES,
                )
                before = found[world].get(name)
                found[world][name] = before + one if before else one
    return found


def _line(name: str, measured: Measured, floor: Measured) -> str:
    p50, p99 = measured.percentile_ms(50), measured.percentile_ms(99)
    rate_ratio, p99_ratio = measured.rate / floor.rate, p99 / floor.percentile_ms(99)
    return (
        f"{name:24} {measured.rate:6.0f}/s  p50 {p50:5.1f} ms  p99 {p99:6.1f} ms"
        f"  of the floor: rate {rate_ratio:.2f}, p99 {p99_ratio:.1f}"
    )


def _resident_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
